"""How a run reaches a house: the ports, and what must be closed in the end. Knows no verb."""

from __future__ import annotations

from typing import Protocol

from adapters.context import ActContext, LookContext
from engine.programs import EndGroup, Programs


class Doors(Protocol):
    """The ports to one house for one run. `programs` is told of every program that a run starts; `holder` is who we are in the
    house's Lease."""

    look: LookContext
    act: ActContext
    programs: Programs
    end_group: EndGroup | None

    @property
    def holder(self) -> str: ...
    def end_programs(self, grace_s: float) -> None:
        """End every program of ours within so many seconds (0: now), and start no more. Returns at once."""

    def close(self) -> tuple[str, ...]:
        """Release the Lease if it is ours, end helper processes, close connections; answers what went wrong, in words."""
