"""Whether the inventory in Git still is the house: it is needed when nobody can be asked any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.inventory import Taken, differences, take
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId, if_any
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import number
from house.known.inventory import INVENTORY_FILE, Inventory, at, known_inventory
from house.model import House

OLD_S = 31 * 86400.0
_BELOW = tuple(map(if_any, (
    "preflight.quorum", "preflight.host/*", "proxmox.create-vm/*", "storage.ceph/*", "kubernetes.api-servers", "kubernetes.nodes",
)))  # fmt: skip
"""What it may be a consequence of: a VM that differs, or a host that is off, is told once."""
_WRITE = "invoke cluster.inventory --write, then commit the file"


@dataclass(frozen=True)
class InventoryAge(BaseCheck):
    """Only warns: volumes come and go, and what is here lives."""

    house: House
    id = StepId("house.inventory")
    title = f"{INVENTORY_FILE} is what the house is"
    severity = Severity.ADVISORY
    needs = _BELOW

    def probe(self, look: LookContext) -> Probe:
        known = known_inventory(self.house)
        if known is None:
            return missing("there is no inventory: after a loss nobody would know what was where", hint=_WRITE)
        taken = take(look, self.house)
        odd = [*differences(known, taken.with_lost(known)), *_never(known)]
        if odd:
            return drifted(f"{number(len(odd), 'thing is', 'things are')} not as the inventory has them", *odd, hint=_WRITE)
        if old := [*_old(known, look.clock.now())]:
            return drifted(f"the inventory has aged: {'; '.join(old)}", hint=_WRITE)
        return _said(taken)

    def by_hand(self) -> str:
        return f"git log -1 {INVENTORY_FILE}; kubectl get pv; qm list   # no volume and no VM that it lacks"


def _said(taken: Taken) -> Probe:
    if taken.silent:
        return unknown(f"could not look: {'; '.join(f'{section}: {why}' for section, why in taken.silent.items())}")
    return satisfied("every VM and volume is as it says")


def _never(known: Inventory) -> Iterator[str]:
    """Sections that were never looked at: an absence that is no emptiness."""
    for name, section in (("machines", known.machines), ("cluster", known.cluster)):
        if section is None:
            yield f"{name}: never looked at"


def _old(known: Inventory, now: float) -> Iterator[str]:
    for name, section in (("its machines", known.machines), ("its cluster", known.cluster)):
        if section is None:
            continue
        age = age_of(at(section.date), now)
        if age is None:
            yield f"{name} of {section.date}, which is later than now: a clock is wrong, and their age is not known"
        elif age > OLD_S:
            yield f"{name} of {span(age)} ago"
