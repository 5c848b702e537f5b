"""From the settings' path to a Session with the doors of a real house (the lab's houses are reached through the same ones)."""

from __future__ import annotations

from pathlib import Path

from console.session import Session
from house.loader import SETTINGS_FILE, Part, load


def open_session(verb: str, settings: str, json: bool, part: Part = Part.ALL) -> Session:
    """Load the house, or the part of it that the verb needs, and make a session.

    Raises SettingsInvalid with every problem of the settings.
    """
    from console.real_doors import open_real_doors

    house = load(Path(settings or SETTINGS_FILE), part)
    return Session(verb, house, open_real_doors, json, settings)
