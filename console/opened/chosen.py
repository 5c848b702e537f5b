"""Which settings file is meant. Reads none: a verb that needs no house asks this alone."""

from __future__ import annotations

import os


def named(settings: str) -> str:
    """The settings file that the command line or else the environment's BLACKSTART_SETTINGS names, "" for neither."""
    return settings or os.environ.get("BLACKSTART_SETTINGS", "")
