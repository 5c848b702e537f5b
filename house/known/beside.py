"""What verbs have written beside the settings: whether it can still be read. A run needs it, and finds out late."""

from __future__ import annotations

from pathlib import Path

from house.files.problems import Problem
from house.known.inventory import INVENTORY_FILE, inventory_problems
from house.known.lock import LOCK_FILE, lock_problems


def beside_problems(settings_file: Path) -> tuple[Problem, ...]:
    """What is wrong in the lock and in the inventory of this house; nothing where there is none."""
    return (*lock_problems(settings_file.with_name(LOCK_FILE)), *inventory_problems(settings_file.with_name(INVENTORY_FILE)))
