"""Take away the reservation of the hosts that a dead run left: of this machine by itself, of another by consent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.proxmox.reserving import MayNotReserve, pool_of
from adapters.proxmox.results import Whose
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class ForeignReservation(Identity):
    """What a run has reserved that is not known to be dead, in its own words."""

    owner: str

    def __str__(self) -> str:
        return f"the reservation of {self.owner or 'somebody'} (is that at work? then wait for it)"


@dataclass(frozen=True)
class LiftReservation(BaseStep):
    """No other run has reserved the hosts: one of this machine whose process is gone has to go, of any other a person knows."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("proxmox.lift-reservation")
    title = "no other run has reserved the hosts"
    system = "proxmox"
    standing = True

    @property
    def inputs(self) -> str:
        return pool_of(self.house.id)

    def probe(self, look: LookContext) -> Probe:
        try:
            found = look.proxmox.reservation()
        except MayNotReserve:
            return satisfied("not known: the token may not see it, and nothing but a Lease excludes another machine")
        if found is None:
            return satisfied("nobody has reserved them")
        told = found.told(look.clock.now())
        if found.whose is Whose.OURS:
            return satisfied("this run has")
        if found.whose is Whose.DEAD:
            return missing(f"a run of this machine that is gone has: {told}")
        return missing(f"another run has: {told}", identity=ForeignReservation(found.owner))

    def hazard(self, seen: Probe) -> Hazard:
        """Whoever takes away what a living run has reserved lets two write."""
        return Hazard.DESTROYS if seen.identity is not None else Hazard.NONE

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        found = act.proxmox.reservation()
        if found is None:
            return
        if found.whose is Whose.DEAD or ForeignReservation(found.owner) == seen.identity:
            act.proxmox.unreserve(found.owner)

    def by_hand(self) -> str:
        return f"pvesh get /pools   # on any host; if a dead run has it: pveum pool delete {pool_of(self.house.id)}"


def steps(house: House, needs: tuple[str, ...] = ()) -> Iterator[LiftReservation]:
    """One for the house. `needs`: what must be known before a host is changed at all."""
    yield LiftReservation(house, needs)
