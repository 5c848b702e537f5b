"""What is newer than the snapshot that etcd came back from: data that went on while the cluster forgot. Told, never mended here."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.backups.results import Verdict
from adapters.context import LookContext
from adapters.etcd.results import EtcdSnapshot
from bootstrap.checks.etcd.recoverable import by_how_much, is_newer
from cluster.backups.audit import repository_of
from engine.errors import BlackstartError
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.lengths import apart
from engine.text.words import number
from house.model import BackedUpClaim, House
from talos.age import ago

HINT = "the data are kept; what the cluster says of them (claims, volumes, holds) is older: look before you delete"


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
        lines: list[str] = self._newer(look, taken)
        dumb: list[str] = []
        for claim in self.house.claims:
            line, answered = self._of(look, claim, taken.taken)
            (lines if answered else dumb).extend(filter(None, (line,)))
        as_of = f"{taken.name}, as of {ago(taken.taken, look.clock.now())}"
        if lines:
            return drifted(f"{number(len(lines), 'thing is', 'things are')} newer than {as_of}", *lines, *dumb, hint=HINT)
        if dumb:
            return unknown(f"{number(len(dumb), 'backup gives', 'backups give')} no answer: nobody knows what is newer", *dumb)
        return satisfied(f"nothing that was looked at is newer than {as_of}")

    def _newer(self, look: LookContext, taken: EtcdSnapshot) -> list[str]:
        return [f"{one.name} is newer by {by_how_much(one, taken)}" for one in look.etcd.kept() if is_newer(one, taken)]

    def _of(self, look: LookContext, claim: BackedUpClaim, taken: float) -> tuple[str, bool]:
        """What there is to say of one claim, "" for nothing, and whether its backup was to be read."""
        try:
            seen = look.backups.look(repository_of(self.house, claim))
        except BlackstartError as error:
            return f"{claim.key}: {error.what}", False
        last = max((one.time for one in seen.points), default=0.0)
        if not seen.points and seen.verdict not in (Verdict.MISSING, Verdict.EMPTY):
            return f"{claim.key}: {'; '.join(filter(None, (seen.verdict.value, seen.detail)))}", False
        later = apart(last - taken, "later", "earlier", "less than a second later")
        return (f"{claim.key} was backed up {later}" if last > taken else ""), True

    def by_hand(self) -> str:
        return "kubectl get pv,pvc -A && invoke dr.audit   # each claim's newest backup against what the cluster says of it"


def check(house: House, snapshot: EtcdSnapshot | None) -> MovedPast:
    """The check of this house."""
    return MovedPast(house, snapshot)
