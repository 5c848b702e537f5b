"""Plan, report, audit and hold as tables. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from adapters.backups.results import Verdict as BackupVerdict
from adapters.hold.results import HoldRecord
from adapters.kept.results import KeptVolume
from cluster.backups.audit import ClaimAudit
from cluster.course import HouseGraph
from console.views.page import Page
from console.views.problem import INDENT as PROBLEM_INDENT
from console.views.problem import step_problems
from console.views.rows import Row, Rows
from engine.plan import Plan, Planned
from engine.report import Outcome, Report
from engine.secrets import redact
from engine.state import State
from engine.text.ages import lasted
from engine.text.lengths import span
from engine.text.words import number
from house.model import House

SYMBOLS = {
    Planned.NOOP: ("=", "dim"), Planned.CREATE: ("+", "green"), Planned.UPDATE: ("~", "yellow"), Planned.WAIT: ("…", "cyan"),
    Planned.UNKNOWN: ("?", "magenta"), Planned.KNOWN_AFTER: ("·", "dim"), Planned.REFUSED: ("✗", "bold red"),
    Planned.WARNING: ("!", "yellow"),
}  # fmt: skip
COLOURS = {
    Outcome.OK: "dim", Outcome.CHANGED: "green", Outcome.HELD: "yellow", Outcome.FAILED: "bold red",
    Outcome.BLOCKED: "magenta", Outcome.INTERRUPTED: "cyan",
}  # fmt: skip


UNSETTLED = frozenset({Planned.REFUSED, Planned.WARNING, Planned.UNKNOWN})
"""What a person has to look into: these lines show what they are founded on."""


def plan_table(plan: Plan) -> Rows:
    """One row per step: what would be done, what was seen, after what it will be known."""
    rows = []
    for line in plan.lines:
        symbol, colour = SYMBOLS[line.verdict]
        detail = line.detail
        if line.after:
            detail = f"known after {line.after[0]}" + (f" and {len(line.after) - 1} more" if len(line.after) > 1 else "")
        if line.act is not None:
            words = "" if line.act.words in detail else f": {line.act.words}"
            detail = f"{detail}  [{line.act.hazard}{words}]"
        below = [Text(one, "dim") for one in line.evidence] if line.verdict in UNSETTLED else []
        if line.hint and line.verdict in UNSETTLED - {Planned.UNKNOWN}:
            below.append(Text(f"Try: {line.hint}"))
        rows.append(Row((Text(symbol, colour), Text(line.verdict.value, colour), Text(line.id)), detail, tuple(below)))
    return Rows(rows, name=2)


def plan_summary(plan: Plan) -> str:
    """One sentence: counts, and what to approve."""
    counts = {verdict: sum(line.verdict is verdict for line in plan.lines) for verdict in Planned}
    told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    acts = number(len(plan.acts), "act needs", "acts need")
    consent = f". {acts} your consent: --approve {plan.digest}" if plan.acts else ""
    return f"{told}. Plan {plan.digest}{consent}"


def plan_following(plan: Plan, act: str, verb: str) -> str:
    """What is typed to have it done, whole: `act` is the command without its consent, which `verb`, where that shows its own plan,
    always wants. "" where there is nothing to do, or something that only a person can mend first."""
    if not act or not plan.changes or plan.stopped:
        return ""
    return f"{act} --approve {plan.digest}" if plan.acts or f"{act} ".startswith(f"invoke {verb} ") else act


def outline_table(graph: HouseGraph) -> Rows:
    """One row per step: what a plan can say without a look."""
    return Rows([Row((Text(item.id),), item.title) for item in graph])


def memory_table(state: State) -> Rows:
    """One row per step that the journal knows: those that were begun and not ended first, then how each last ended."""
    begun = [
        Row((Text("in flight"), Text(name)), "; ".join([f"begun by run {one.run}", *map(": ".join, state.notes_of(name).items())]))
        for name, one in state.in_flight.items()
    ]
    ended = [Row((Text(last.outcome), Text(name)), last.detail) for name, last in state.last.items()]
    return Rows([*begun, *ended], name=1)


def report_table(report: Report) -> Rows:
    """One row per step with its time."""
    blocked = [step for step in report.steps if step.outcome is Outcome.BLOCKED]
    rows = []
    for step in report.steps:
        if step.outcome is Outcome.BLOCKED:
            continue
        colour = "yellow" if step.advisory and step.outcome is Outcome.FAILED else COLOURS[step.outcome]
        outcome = "warning" if step.advisory and step.outcome is Outcome.FAILED else step.outcome.value
        told = step.detail + (" (resumed)" if step.resumed else "")
        rows.append(Row((Text(outcome, colour), Text(f"{step.seconds:.1f}"), Text(step.id)), told))
    if blocked:
        causes = ", ".join(dict.fromkeys(cause for step in blocked for cause in step.blocked_by))
        cells = (Text("blocked", "magenta"), Text(), Text(number(len(blocked), "step")))
        rows.append(Row(cells, f"not begun, because of {causes}"))
    return Rows(rows, ("outcome", "seconds", "step", "what was seen"), name=2, right=frozenset({1}))


def print_report(page: Page, report: Report, verb: str, settings: str = "") -> None:
    """Table, root causes in five lines each, and one sentence that begins with the verb as it is typed."""
    page.show(report_table(report))
    for lines in (*step_problems(report.root_causes, settings), *step_problems(report.warnings, settings)):
        page.say()
        for line in lines:
            page.say(line, hang=PROBLEM_INDENT)
    if report.failure is not None:
        told = (report.failure.what, *report.failure.evidence, report.failure.hint)
        page.say("; ".join(filter(None, told)), "bold red")
    counts = ", ".join(f"{count} {word}" for word, count in report.counts.items() if count)
    page.say(f"\n{verb}: {counts} in {report.seconds:.1f} s")


def audit_table(audits: Iterable[ClaimAudit]) -> Rows:
    """One row per declared backup. Why a verdict is not ok is told below the table, by `audit_findings`."""
    rows = []
    for audit in audits:
        point = audit.newest
        age = "unknown" if audit.age is None else span(audit.age)
        opened = bool(audit.repository_id)
        told = (
            audit.repository_id[:8] or "unknown", str(len(audit.points)) if opened else "unknown",
            point.pin if point else "none" if opened else "unknown", age, _number(point.files if point else None),
            _number(point.size if point else None),
        )  # fmt: skip
        verdict = Text(audit.told, "green" if audit.verdict is BackupVerdict.OK else "bold red")
        rows.append(Row((verdict, Text(audit.claim.source_key), *map(Text, told))))
    headers = ("verdict", "claim", "repository", "snapshots", "newest", "age", "files", "bytes")
    return Rows(rows, headers, name=1, right=frozenset({3, 6, 7}))


def audit_findings(audits: Sequence[ClaimAudit]) -> list[str]:
    """What is wrong, once for all claims that it is wrong with, and what usually helps; then what is odd about good ones."""
    alike: dict[tuple[BackupVerdict, str, str], list[ClaimAudit]] = {}
    for audit in audits:
        if audit.verdict is not BackupVerdict.OK:
            alike.setdefault((audit.verdict, redact(audit.detail), audit.helps), []).append(audit)
    lines = []
    for (verdict, detail, hint), found in alike.items():
        lines += ["", f"{verdict.value}: {detail or 'nothing more is known'}"]
        places = [one.claim for one in found]
        lines += [f"  {place.source_key:<32} {place.open_as or place.mover_repository}".rstrip() for place in places]
        if hint:
            lines.append(f"  {hint}")
    odd = [audit for audit in audits if audit.remarks and audit.verdict is BackupVerdict.OK]
    remarks = [f"{audit.claim.source_key} is {audit.told}, and has {redact(audit.remarks)}" for audit in odd]
    return [*lines, *(["", *remarks] if remarks else [])]


def hold_table(record: HoldRecord, now: float) -> Rows:
    """One row per claim of the record, oldest hold first."""
    rows = []
    for claim in sorted(record.claims, key=lambda c: c.since):
        since = lasted(claim.since, now, "unknown")
        point = f"{claim.snapshot_id[:8]} of {claim.pin}" if claim.pin else "not chosen yet"
        cells = (claim.state.value, claim.key, since, point, claim.depth or "none")
        rows.append(Row(tuple(map(Text, cells)), redact(claim.reason)))
    return Rows(rows, ("state", "claim", "for", "restore point", "proof", "reason"), name=1)


def database_lines(house: House, record: HoldRecord, now: float) -> list[str]:
    """The databases that the hold refuses to have made, and those that were accepted, with who said why and since when."""
    lines = []
    for database in house.databases if record.present else ():
        accepted = record.database(database.namespace, database.name)
        pinned = record.pinned_database(database.namespace, database.name)
        if pinned is not None:
            state = "proven" if pinned.proven else "refuted" if pinned.refuted else "pinned, not proven"
            told = redact(pinned.depth or pinned.refuted)
            lines.append(f"database {database.key}: {state}, from {pinned.place}; {told}".rstrip("; "))
        elif accepted is not None:
            length = lasted(accepted.since, now, "nobody knows how long")
            lines.append(f"database {database.key}: accepted-empty for {length}, {redact(accepted.reason) or 'without a reason'}")
        elif database.held:
            lines += [
                f"database {database.key} ({database.declared_in}) archives and has no bootstrap.recovery: it is refused when made",
                f"  give it bootstrap.recovery in Git, or: invoke dr.release {database.key} --unproven --reason TEXT",
            ]
    return lines


def kept_lines(volumes: Iterable[KeptVolume], now: float) -> list[str]:
    """The volumes that stay of claims that were replaced, and how each comes back or goes."""
    lines = []
    for one in volumes:
        length = lasted(one.since, now, "nobody knows how long")
        lines += [
            f"volume {one.name} of {one.key} is kept for {length}: {one.size or 'of unknown size'}, {one.state.value}",
            f"  back with: invoke dr.undo {one.key}; gone with: invoke dr.undo {one.key} --let-go",
        ]
    return lines


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
