"""From the settings' path to a Session with the doors of a real house (the lab's houses are reached through the same ones)."""

from __future__ import annotations

from pathlib import Path

from console.opened.building import builder
from console.opened.chosen import named
from console.opened.doors import Doors
from console.opened.journals import REHEARSE
from console.session import Session
from engine.journal import Journal
from engine.waiting import SystemClock
from house.loader import SETTINGS_FILE, Part, load
from house.model import House


def open_session(verb: str, settings: str, json: bool, part: Part = Part.ALL, report: str = "") -> Session:
    """Load the house, or the part of it that the verb needs, and make a session.

    `settings` is what the command line says; where nothing names the file it is the one in this folder. `report` is the folder
    for the run's evidence. Raises SettingsInvalid with every problem of the settings.
    """
    settings = named(settings)
    return session_of(verb, load(Path(settings or SETTINGS_FILE), builder(), part), json, settings, report)


def session_of(verb: str, house: House, json: bool, settings: str = "", report: str = "") -> Session:
    """The same for a house that was read, from what no `--settings` names where it is "" (a kit)."""
    if verb == REHEARSE:
        return Session(verb, house, drill_doors, json, settings, report)
    return Session(verb, house, real_doors, json, settings, report, drill_doors=drill_doors)


def real_doors(house: House, run: str, clock: SystemClock, journal: Journal | None) -> Doors:
    """The doors of a real house. Their clients are imported with the first that is opened: not every verb opens any."""
    from console.opened.real_doors import open_real_doors

    return open_real_doors(house, run, clock, journal)


def drill_doors(house: House, run: str, clock: SystemClock, journal: Journal | None) -> Doors:
    """The same, for a rehearsal."""
    from console.opened.real_doors import open_drill_doors

    return open_drill_doors(house, run, clock, journal)
