"""Tell Rook's Ceph to give no OSD up and move nothing while its nodes are off on purpose; and to go on as before after it."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.ceph.results import OsdFlags
from adapters.context import ActContext, LookContext
from cluster.machines.vms import unless_off
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import House

WANTED = ("noout", "norebalance")
"""No OSD is given up for one that is off, and nothing is moved about while they come back one by one. What lacks a copy is made
whole all the same: `norecover` and `nobackfill` would hold that up, too, and `pause` would hold writes."""
_NONE = "Rook runs no Ceph in this cluster"


@dataclass(frozen=True)
class HoldCeph(BaseStep):
    """The flags are set in each Ceph that answers. One that does not keeps no house from going off, a check has told of it before
    (`preflight.ceph-flags`): this says nothing of it."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("stop.ceph")
    title = "each Ceph that answers gives up no OSD meanwhile"
    system = "kubernetes"

    def hazard(self, seen: Probe) -> Hazard:
        # The consent is to the switching off of the house.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        return unless_off(look, self.house, lambda: self._seen(look), "it cannot be told any more, and goes off as it is")

    def _seen(self, look: LookContext) -> Probe:
        found = look.flags.flags()
        if lacking := [one for one in found if not one.silent and not _held(one)]:
            return missing(f"{', '.join(one.key for one in lacking)}: {', '.join(WANTED)} not set yet", *_others(found))
        untold = [f"nobody knows of {one.key}, which goes off as it is: {one.silent}" for one in found if one.silent]
        held = [f"{one.key}: {', '.join(WANTED)}" for one in found if not one.silent]
        return satisfied("; ".join((*held, *untold)) or _NONE, *_others(found))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        for one in act.flags.flags():
            if not one.silent and not _held(one):
                act.flags.put(one.namespace, one.name, WANTED)

    def by_hand(self) -> str:
        return "; ".join(f"kubectl -n rook-ceph exec deploy/rook-ceph-tools -- ceph osd set {flag}" for flag in WANTED)


@dataclass(frozen=True)
class LetCeph(BaseStep):
    """No flag of ours is left. What somebody else has set stays, and is told."""

    needs: tuple[str, ...] = ()
    id = StepId("start.ceph")
    title = "Ceph goes on as before"
    system = "kubernetes"
    ready_s = 600.0

    def probe(self, look: LookContext) -> Probe:
        found = look.flags.flags()
        ours = [one for one in found if one.ours]
        if deaf := [one for one in ours if one.silent]:
            flags = ", ".join(sorted(deaf[0].ours))
            return unknown(f"{deaf[0].key} may have {flags} still, set by the stop: {deaf[0].silent}")
        if ours:
            return missing("; ".join(f"{one.key}: {', '.join(sorted(one.ours))} set since the house went off" for one in ours))
        others = tuple(_others(found))
        return satisfied("; ".join(others) or ("no flag of ours is set" if found else _NONE))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        for one in act.flags.flags():
            if one.ours:
                act.flags.drop(one.namespace, one.name)

    def by_hand(self) -> str:
        return "; ".join(f"kubectl -n rook-ceph exec deploy/rook-ceph-tools -- ceph osd unset {flag}" for flag in WANTED)


def _held(one: OsdFlags) -> bool:
    """Whether all of it is set; and no mark is left of an act that was cut off before its flag was."""
    return set(WANTED) <= one.there and one.ours <= one.there


def _others(found: tuple[OsdFlags, ...]) -> list[str]:
    """Flags that hold something up and bear no mark of ours."""
    rows = ((one.key, sorted((one.there & _HOLDING) - one.ours)) for one in found)
    return [f"{key}: {', '.join(flags)} set by somebody else, and stays" for key, flags in rows if flags]


_HOLDING = frozenset({
    *WANTED, "nobackfill", "norecover", "nodown", "noup", "noin", "pause", "pauserd", "pausewr", "noscrub", "nodeep-scrub",
    "notieragent", "nosnaptrim",
})  # fmt: skip
"""Flags that a person sets, and may forget; the others of an OSD map are its own."""
