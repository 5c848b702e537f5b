"""Plan, report and audit as tables on rich. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.backups.results import Verdict as BackupVerdict
from adapters.hold.results import HoldRecord
from cluster.audit import HINTS, ClaimAudit
from console.problem import step_problem
from engine.plan import Plan, Verdict
from engine.report import Outcome, Report
from engine.secrets import redact
from house.model import House

SYMBOLS = {
    Verdict.NOOP: ("=", "dim"), Verdict.CREATE: ("+", "green"), Verdict.UPDATE: ("~", "yellow"), Verdict.WAIT: ("…", "cyan"),
    Verdict.UNKNOWN: ("?", "magenta"), Verdict.KNOWN_AFTER: ("·", "dim"), Verdict.REFUSED: ("✗", "bold red"),
    Verdict.WARNING: ("!", "yellow"),
}  # fmt: skip
COLOURS = {
    Outcome.OK: "dim", Outcome.CHANGED: "green", Outcome.HELD: "yellow", Outcome.FAILED: "bold red",
    Outcome.BLOCKED: "magenta", Outcome.INTERRUPTED: "cyan",
}  # fmt: skip


def plan_table(plan: Plan) -> Table:
    """One line per step: what would be done, what was seen, after what it will be known."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in ("symbol", "verdict", "step", "what was seen"):
        table.add_column(overflow="fold")  # a path is folded on a narrow terminal, and not cut short
    for line in plan.lines:
        symbol, colour = SYMBOLS[line.verdict]
        detail = line.detail
        if line.after:
            detail = f"known after {line.after[0]}" + (f" and {len(line.after) - 1} more" if len(line.after) > 1 else "")
        if line.act is not None:
            detail = f"{detail}  [{line.act.hazard}: {line.act.identity}]"
        table.add_row(Text(symbol, colour), Text(line.verdict.value, colour), Text(line.id), Text(detail))
        for evidence in line.evidence if line.verdict in (Verdict.REFUSED, Verdict.WARNING, Verdict.UNKNOWN) else ():
            table.add_row("", "", "", Text(f"  {evidence}", "dim"))
        if line.hint and line.verdict in (Verdict.REFUSED, Verdict.WARNING):
            table.add_row("", "", "", Text(f"  Try: {line.hint}"))
    return table


def plan_summary(plan: Plan) -> str:
    """One sentence: counts, and what to approve."""
    counts = {verdict: sum(line.verdict is verdict for line in plan.lines) for verdict in Verdict}
    told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    acts = "1 act needs" if len(plan.acts) == 1 else f"{len(plan.acts)} acts need"
    consent = f". {acts} your consent: --approve {plan.digest}" if plan.acts else ""
    return f"{told}. Plan {plan.digest}{consent}"


def report_table(report: Report) -> Table:
    """One line per step with its time."""
    table = Table(box=None, pad_edge=False)
    for name in ("outcome", "step", "seconds", "what was seen"):
        table.add_column(name, justify="right" if name == "seconds" else "left", overflow="fold")
    blocked = [step for step in report.steps if step.outcome is Outcome.BLOCKED]
    for step in report.steps:
        if step.outcome is Outcome.BLOCKED:
            continue
        colour = "yellow" if step.advisory and step.outcome is Outcome.FAILED else COLOURS[step.outcome]
        told = step.detail
        resumed = " (resumed)" if step.resumed else ""
        outcome = "warning" if step.advisory and step.outcome is Outcome.FAILED else step.outcome.value
        table.add_row(Text(outcome, colour), Text(step.id), f"{step.seconds:.1f}", Text(told + resumed))
    if blocked:
        causes = ", ".join(dict.fromkeys(cause for step in blocked for cause in step.blocked_by))
        table.add_row(Text("blocked", "magenta"), Text(f"{len(blocked)} steps"), "", Text(f"not begun, because of {causes}"))
    return table


def print_report(console: Console, report: Report, settings: str = "") -> None:
    """Table, root causes in five lines each, and one sentence."""
    console.print(report_table(report))
    for step in (*report.root_causes, *report.warnings):
        console.print()
        for line in step_problem(step, settings):
            console.print(Text(line))
    if report.failure is not None:
        told = (report.failure.what, *report.failure.evidence, report.failure.hint)
        console.print(Text("; ".join(filter(None, told)), "bold red"))
    counts = ", ".join(f"{count} {word}" for word, count in report.counts.items() if count)
    console.print(Text(f"\n{report.verb}: {counts} in {report.seconds:.1f} s"))


def audit_table(audits: Iterable[ClaimAudit]) -> Table:
    """One line per declared backup. Why a verdict is not ok is told below it, by `audit_findings`: terminals are narrow."""
    table = Table(box=None, pad_edge=False)
    for name in ("verdict", "claim", "repository", "snapshots", "newest", "age", "files", "bytes"):
        table.add_column(name, overflow="fold")
    for audit in audits:
        point = audit.newest
        age = "unknown" if audit.age is None else f"{audit.age / 3600:.1f} h"
        opened = bool(audit.repository_id)
        table.add_row(
            Text(audit.told, "green" if audit.verdict is BackupVerdict.OK else "bold red"), Text(audit.claim.key),
            audit.repository_id[:8] or "unknown", str(len(audit.points)) if opened else "unknown",
            point.pin if point else "none" if opened else "unknown", age, _number(point.files if point else None),
            _number(point.size if point else None),
        )  # fmt: skip
    return table


def audit_findings(audits: Sequence[ClaimAudit]) -> list[str]:
    """What is wrong, once for all claims that it is wrong with, and what usually helps; then what is odd about good ones."""
    alike: dict[tuple[BackupVerdict, str, str], list[ClaimAudit]] = {}
    for audit in audits:
        if audit.verdict is not BackupVerdict.OK:
            hint = audit.hint or HINTS.get(audit.verdict, "")
            alike.setdefault((audit.verdict, redact(audit.detail), hint), []).append(audit)
    lines = []
    for (verdict, detail, hint), found in alike.items():
        lines += ["", f"{verdict.value}: {detail or 'nothing more is known'}"]
        lines += [f"  {audit.claim.key:<32} {audit.claim.open_as or audit.claim.mover_repository}".rstrip() for audit in found]
        if hint:
            lines.append(f"  {hint}")
    odd = [audit for audit in audits if audit.remarks and audit.verdict is BackupVerdict.OK]
    remarks = [f"{audit.claim.key} is {audit.told}, and has {redact(audit.remarks)}" for audit in odd]
    return [*lines, *(["", *remarks] if remarks else [])]


def hold_table(record: HoldRecord, now: float) -> Table:
    """One line per claim of the record, oldest hold first."""
    table = Table(box=None, pad_edge=False)
    for name in ("state", "claim", "since", "restore point", "proof", "reason"):
        table.add_column(name, overflow="fold")
    for claim in sorted(record.claims, key=lambda c: c.since):
        since = f"{(now - claim.since) / 3600:.1f} h" if claim.since else "unknown"
        point = f"{claim.snapshot_id[:8]} of {claim.pin}" if claim.pin else "not chosen yet"
        table.add_row(claim.state.value, Text(claim.key), since, point, claim.depth or "none", Text(redact(claim.reason)))
    return table


def database_lines(house: House, record: HoldRecord, now: float) -> list[str]:
    """The databases that the hold refuses to have made, and those that were accepted, with who said why and since when."""
    lines = []
    for database in house.databases if record.present else ():
        accepted = record.database(database.namespace, database.name)
        if accepted is not None:
            since = f"{(now - accepted.since) / 3600:.1f} h" if accepted.since else "nobody knows when"
            lines.append(f"database {database.key}: accepted-empty since {since}, {redact(accepted.reason) or 'without a reason'}")
        elif database.held:
            lines += [
                f"database {database.key} ({database.declared_in}) archives and has no bootstrap.recovery: it is refused when made",
                f"  give it bootstrap.recovery in Git, or: invoke dr.release {database.key} --unproven --reason TEXT",
            ]
    return lines


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
