"""What would stop a rebuild today: the checks of a bootstrap on the house as if it were lost, and what those leave to its steps.

Everything is asked and nothing is made. What came of it is one table, and a verdict like a drill's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from adapters.context import LookContext
from bootstrap.checks.backups.snapshot_classes import SnapshotClassesExist
from bootstrap.checks.talos.machineconfigs import Machineconfigs
from bootstrap.course import course as bootstrap_course
from cluster.course import Course, HouseCheck
from engine.probe import Condition, Probe, drifted, missing, satisfied
from engine.report import Outcome, Report, StepReport
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House
from rehearsal.outcome import DrillVerdict

SOON_S = 30 * 86400.0
"""A certificate that ends sooner than this stops a rebuild that is not made at once."""
NOT_LOOKED_AT = (
    "container images that Talos itself names (etcd, pause, CoreDNS), that programs pull on their own account, or Flux's parts do",
    "Proxmox: that the token may make what would be made was asked, not whether each value is taken",
    "ends of tokens: no server tells when a token of its own ends",
    "backups: `invoke dr.audit` opens them, and a drill of claims restores them",
)
_WATCHED = frozenset({"proxmox.machines"})
"""What a rebuild would lose stops none."""
_MAY_BE_UNTOLD = frozenset({"rebuild.pulls"})
"""Rows to which most houses get no answer from anybody: where they say so (advisory), the verdict does not wait for it."""
_ELSEWHERE = ("preflight.backup/", "preflight.backup-age/", "preflight.archive/", "preflight.strangers", "preflight.lost/")
"""What a drill of claims and an audit look at; and nodes that answer, which are those that are lost here."""


@dataclass(frozen=True)
class Row:
    """One thing that a rebuild needs: `verdict` PASS, FAIL or UNVERIFIED; `stops` is False where it is worth a look and no more."""

    id: str
    title: str
    verdict: DrillVerdict
    detail: str
    evidence: tuple[str, ...] = ()
    hint: str = ""
    stops: bool = True


@dataclass(frozen=True)
class References(BaseCheck):
    """Every reference to a secret that a bootstrap reads. `lacking` answers a line for each that cannot be had, and whether that
    is known: a server of secrets that gives no answer is not one that has none."""

    house: House
    lacking: Callable[[], tuple[tuple[str, bool], ...]]
    id = StepId("rebuild.secrets")
    title = "every secret that a bootstrap reads can be had"

    def probe(self, look: LookContext) -> Probe:
        found = self.lacking()
        if not found:
            return satisfied("each resolves, and opens where it is encrypted")
        told = tuple(line for line, _ in found)
        if any(known for _, known in found):
            hint = "invoke config.doctor says more of each"
            return missing(f"{number(len(found), 'secret')} cannot be had", *told, hint=hint)
        return Probe(Condition.UNKNOWN, f"{number(len(found), 'secret')} could not be asked for", told)


@dataclass(frozen=True)
class Authorities(BaseCheck):
    """The certificates that a rebuild stands on: the bundle's authorities, and those that vouch for servers (`ca_file`).

    `files` answers the end of each file's certificate in epoch seconds by its name, None for a file that holds none.
    """

    house: House
    files: Callable[[], Mapping[str, float | None]]
    id = StepId("rebuild.certificates")
    title = "no certificate that a rebuild stands on ends soon"
    needs = ("preflight.keys",)

    def probe(self, look: LookContext) -> Probe:
        now = look.clock.now()
        ends: dict[str, float | None] = {f"{one.name} of the bundle": one.ends for one in look.machineconfigs.authorities()}
        ends |= self.files()
        unread = [f"{name}: no certificate can be read" for name, end in ends.items() if end is None]
        left = {name: (end - now) / 86400 for name, end in ends.items() if end is not None}
        over = [f"{name}: {_left(days)}" for name, days in sorted(left.items(), key=lambda one: one[1]) if days * 86400 < SOON_S]
        if over or unread:
            return drifted(f"{number(len(over) + len(unread), 'certificate')} will not do", *over, *unread)
        if not left:
            return Probe(Condition.UNKNOWN, "no certificate was found to look at")
        first = min(left, key=lambda name: left[name])
        return satisfied(f"{number(len(left), 'certificate')}; the first to end is {first}, in {left[first]:.0f} days")


def _left(days: float) -> str:
    return f"ends in {number(round(days), 'day')}" if days >= 0 else f"ended {number(round(-days), 'day')} ago"


def course(house: House, known: Mapping[str, str], *more: HouseCheck) -> Course:
    """The checks of a bootstrap that are made before anything is changed, and these."""
    kept = [
        replace(check, anew=True) if isinstance(check, Machineconfigs | SnapshotClassesExist) else check
        for check in bootstrap_course(house, known).checks
        if (check.id.startswith("preflight.") and not check.id.startswith(_ELSEWHERE)) or check.id in _WATCHED
    ]  # fmt: skip
    return Course((*kept, *more), ())


def rows(report: Report) -> tuple[Row, ...]:
    """The table: what stops a rebuild first, then what nobody could see, then what is worth a look, then the rest."""
    order = [DrillVerdict.FAIL, DrillVerdict.UNVERIFIED, DrillVerdict.PASS]
    return tuple(sorted(map(_row, report.steps), key=lambda row: (not row.stops, order.index(row.verdict))))


def verdict_of(table: tuple[Row, ...]) -> DrillVerdict:
    """FAIL where one would stop a rebuild, UNVERIFIED where one that could was not seen, PASS where none would."""
    stopping = {row.verdict for row in table if row.stops}
    for verdict in (DrillVerdict.FAIL, DrillVerdict.UNVERIFIED):
        if verdict in stopping:
            return verdict
    return DrillVerdict.PASS if table else DrillVerdict.UNVERIFIED


def _row(step: StepReport) -> Row:
    if step.outcome in (Outcome.OK, Outcome.HELD):
        return Row(step.id, step.title, DrillVerdict.PASS, step.detail)
    if step.outcome is Outcome.BLOCKED:
        causes = ", ".join(step.blocked_by)
        return Row(step.id, step.title, DrillVerdict.UNVERIFIED, f"not to be told while {causes} says no")
    unseen = step.condition in (Condition.UNKNOWN, Condition.CHANGING, None)
    hint = step.error.hint if step.error is not None else ""
    verdict = DrillVerdict.UNVERIFIED if unseen else DrillVerdict.FAIL
    worth_a_look = step.advisory and (not unseen or step.id in _MAY_BE_UNTOLD)
    stops = step.id not in _WATCHED and not worth_a_look
    return Row(step.id, step.title, verdict, step.detail, step.evidence, hint, stops)
