"""What is newer than the snapshot that etcd came back from: data that went on while the cluster forgot. Told, never mended here."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.etcd.results import EtcdSnapshot
from bootstrap.checks.recoverable import why_not
from cluster.audit import repository_of
from engine.errors import BlackstartError
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.words import number
from house.model import BackedUpClaim, House
from talos.age import ago, span


@dataclass(frozen=True)
class MovedPast(BaseCheck):
    """Claims whose backups are newer than the snapshot, and copies of etcd that are. Once the cluster is whole without a recovery
    there is no snapshot, and nothing to tell."""

    house: House
    snapshot: EtcdSnapshot | None
    id = StepId("etcd.moved-past")
    title = "nothing is newer than etcd"
    needs = ("etcd.recover",)
    severity = Severity.ADVISORY

    def probe(self, look: LookContext) -> Probe:
        taken = self.snapshot
        if taken is None:
            return satisfied("etcd was not recovered")
        if not taken.taken:
            return unknown(f"{taken.name} does not say when it was taken", hint="compare each claim with what the cluster says")
        newer = [one for one in look.etcd.kept() if not why_not(one) and one.revision > taken.revision]
        lines = [f"{one.name} holds {number(one.revision - taken.revision, 'revision')} more" for one in newer]
        lines += [line for claim in self.house.claims if (line := self._of(look, claim, taken.taken))]
        if not lines:
            return satisfied(f"nothing that was looked at is newer than {ago(taken.taken, look.clock.now())}")
        return drifted(
            f"{number(len(lines), 'thing')} newer than etcd, which is as of {ago(taken.taken, look.clock.now())}", *lines,
            hint="the data are kept; what the cluster says of them (claims, volumes, holds) is older: look before you delete",
        )  # fmt: skip

    def _of(self, look: LookContext, claim: BackedUpClaim, taken: float) -> str:
        try:
            points = look.backups.look(repository_of(self.house, claim)).points
        except BlackstartError as error:
            return f"{claim.key}: its backup gives no answer: {error.what}"
        last = max((one.time for one in points), default=0.0)
        return f"{claim.key} was backed up {span(last - taken)} later" if last > taken else ""

    def by_hand(self) -> str:
        return "kubectl get pv,pvc -A && invoke dr.audit   # each claim's newest backup against what the cluster says of it"


def check(house: House, snapshot: EtcdSnapshot | None) -> MovedPast:
    """The check of this house."""
    return MovedPast(house, snapshot)
