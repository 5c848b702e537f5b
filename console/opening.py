"""From the settings' path to a Session with the doors of a real house (the lab's houses are reached through the same ones)."""

from __future__ import annotations

from pathlib import Path

from console.session import Session
from house.loader import load

DEFAULT_SETTINGS = "blackstart.yaml"


def open_session(verb: str, settings: str, json: bool) -> Session:
    """Load the house and make a session. Raises SettingsInvalid with every problem of the settings."""
    from console.real_doors import open_real_doors

    return Session(verb, load(Path(settings or DEFAULT_SETTINGS)), open_real_doors, json)
