"""What separates a dead process from the World. Knows no door: doors, journal file and clock ask it before they do anything."""

from __future__ import annotations

from lab.world.faults import Death


class Fence:
    """One life of the simulated tool. After `fall()` nothing that it does has an effect: every `check()` raises Death."""

    def __init__(self) -> None:
        self.fallen = False

    def fall(self) -> None:
        """The process is dead from now on."""
        self.fallen = True

    def check(self) -> None:
        """Raise Death when the process is dead."""
        if self.fallen:
            raise Death("this process is dead")
