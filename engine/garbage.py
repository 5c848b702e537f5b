"""Python's search for garbage in cycles, as a process needs it that imports much, then handles lists of tens of thousands."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

NEW_OBJECTS, YOUNG, OLDER = 10_000, 20, 20
"""After so many new objects the youngest are searched; after so many of those searches the older ones."""
T = TypeVar("T")


def loaded(load: Callable[[], T]) -> T:
    """What `load` answers, which imports what a process needs.

    What is imported stays: searched again and again it would cost a tenth of the time while it is loaded, and a third of that of
    comparing two long lists.
    """
    gc.disable()
    try:
        return load()
    finally:
        settle()


def settle() -> None:
    """Look for garbage among what is made from now on, in searches that are worth it."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG, OLDER)
    gc.enable()
