"""Whether each of Rook's Cephs can be told that its OSDs go off on purpose: one that cannot gives them up, and moves data."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.vms import unless_off
from engine.probe import Probe, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from house.model import House


@dataclass(frozen=True)
class CephFlags(BaseCheck):
    """Each answers. One that does not is told before anything stops, and keeps no house on: a UPS may be at its end."""

    house: House
    id = StepId("preflight.ceph-flags")
    title = "each Ceph can be told that its OSDs go off on purpose"
    severity = Severity.ADVISORY
    sight_s = 15.0

    def probe(self, look: LookContext) -> Probe:
        return unless_off(look, self.house, lambda: self._seen(look), "no Ceph can be told any more")

    def _seen(self, look: LookContext) -> Probe:
        found = look.flags.flags()
        if silent := [one for one in found if one.silent]:
            told = f"{', '.join(one.key for one in silent)} cannot be asked, and goes off without noout and norebalance"
            hint = "its OSDs are taken for lost after ten minutes apart, and data move as they come back one by one; " \
                "kubectl -n rook-ceph get pods shows whether its toolbox and its monitors run"  # fmt: skip
            return unknown(told, *(f"{one.key}: {one.silent}" for one in silent), hint=hint)
        return satisfied("each answers" if found else "Rook runs no Ceph in this cluster")

    def by_hand(self) -> str:
        return "kubectl -n rook-ceph exec deploy/rook-ceph-tools -- ceph osd dump   # it answers"


def check(house: House) -> CephFlags:
    """The check of this house."""
    return CephFlags(house)
