"""How each backup stands as metrics, and the rules that raise an alarm by them. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from console.report.document import as_epoch
from console.report.keeping import Past
from console.report.proven import Standing, State
from house.model import House

_LABELS = ("house", "simulated")

RULES = """\
# Alarms about recovery, for Prometheus. Written by `invoke dr.status --alerts`; the metrics by `invoke dr.status --metrics`.
groups:
  - name: blackstart
    rules:
      - alert: BlackstartNeverProven
        expr: blackstart_proof_never == 1
        for: 1d
        labels: {severity: warning}
        annotations:
          summary: "{{ $labels.kind }} {{ $labels.key }} of {{ $labels.house }} was never proven to come back"
          description: "A backup that nobody restored is hope. invoke dr.status says how each stands."
      - alert: BlackstartProofDue
        expr: blackstart_proof_due_timestamp_seconds < time()
        for: 1h
        labels: {severity: warning}
        annotations:
          summary: "{{ $labels.kind }} {{ $labels.key }} of {{ $labels.house }} is due to be proven again"
          description: "It was due at {{ $value | humanizeTimestamp }}."
      - alert: BlackstartRunFailed
        expr: blackstart_last_run_exit_code != 0 and blackstart_last_run_exit_code != 6
        labels: {severity: critical}
        annotations:
          summary: "invoke {{ $labels.verb }} of {{ $labels.house }} ended with {{ $value }}"
          description: "invoke dr.history lists the runs; README, Exit codes, says what the number means."
      - alert: BlackstartSilent
        expr: >-
          time() - blackstart_status_written_timestamp_seconds > 2 * 86400
          or absent(blackstart_status_written_timestamp_seconds)
        for: 1h
        labels: {severity: critical}
        annotations:
          summary: "nobody has said for two days how the backups stand"
          description: "The schedule that writes these metrics does not run."
"""


def status_metrics(house: House, found: Iterable[Standing], runs: Iterable[Past], now: float) -> str:
    """The gauges. What was never proven has no time of a proof, and says so by a gauge of its own."""
    registry = CollectorRegistry()
    who = {"house": house.name, "simulated": str(house.simulated).lower()}

    def made(name: str, told: str, *more: str) -> Gauge:
        return Gauge(f"blackstart_{name}", told, (*_LABELS, *more), registry=registry)

    never = made("proof_never", "1 where nothing of it was ever proven to come back.", "kind", "key")
    at = made("proof_timestamp_seconds", "When its newest proven restore point was proven.", "kind", "key")
    point = made("proof_point_timestamp_seconds", "When its newest proven restore point was made.", "kind", "key")
    due = made("proof_due_timestamp_seconds", "When it is due to be proven again.", "kind", "key")
    for one in found:
        name = {**who, "kind": one.kind.value, "key": one.key}
        never.labels(**name).set(one.state is State.NEVER)
        for gauge, value in ((at, one.at), (point, one.point), (due, one.due)):
            if value is not None:
                gauge.labels(**name).set(value)
    code = made("last_run_exit_code", "What the last run of the verb ended with.", "verb")
    began = made("last_run_started_timestamp_seconds", "When the last run of the verb began.", "verb")
    seen: set[str] = set()
    for run in runs:  # newest first
        if run.exit_code is not None and run.verb not in seen:
            seen.add(run.verb)
            code.labels(**who, verb=run.verb).set(run.exit_code)
            if (started := as_epoch(run.started)) is not None:
                began.labels(**who, verb=run.verb).set(started)
    made("status_written_timestamp_seconds", "When these were written.").labels(**who).set(now)
    return generate_latest(registry).decode()
