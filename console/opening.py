"""From the settings' path to a Session with the doors of a real house (the lab's houses are reached through the same ones)."""

from __future__ import annotations

import os
from pathlib import Path

from console.building import builder
from console.session import Session
from house.loader import SETTINGS_FILE, Part, load


def open_session(verb: str, settings: str, json: bool, part: Part = Part.ALL) -> Session:
    """Load the house, or the part of it that the verb needs, and make a session.

    Where `settings` is "" the environment's BLACKSTART_SETTINGS names the file, and else it is the one in this folder.
    Raises SettingsInvalid with every problem of the settings.
    """
    from console.real_doors import open_real_doors

    settings = settings or os.environ.get("BLACKSTART_SETTINGS", "")
    house = load(Path(settings or SETTINGS_FILE), builder(), part)
    return Session(verb, house, open_real_doors, json, settings)
