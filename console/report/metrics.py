"""The evidence of a run as Prometheus reads it from a text file (node_exporter's textfile collector). Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from console.report.document import as_epoch

LABELS = ("house", "verb", "simulated")


def run_metrics(evidence: Mapping[str, Any]) -> str:
    """The gauges of one run. What is not known has no sample: no number stands for it."""
    registry = CollectorRegistry()
    who = {"house": evidence["house"], "verb": evidence["verb"], "simulated": str(evidence["simulated"]).lower()}

    def gauge(name: str, told: str, value: float | None, **more: str) -> None:
        key = (name, *more)
        if key not in made:
            made[key] = Gauge(name, told, (*LABELS, *more), registry=registry)
        if value is not None:
            made[key].labels(**who, **more).set(value)

    made: dict[tuple[str, ...], Gauge] = {}
    gauge("blackstart_run_exit_code", "What the verb ended with; 0 is success.", evidence["verdict"]["exit_code"])
    gauge("blackstart_run_started_timestamp_seconds", "When the run began.", as_epoch(evidence["started"]))
    gauge("blackstart_run_ended_timestamp_seconds", "When the run ended.", as_epoch(evidence["ended"]))
    gauge("blackstart_run_duration_seconds", "How long the run took.", evidence["seconds"])
    gauge("blackstart_run_verdict", "1 for the word of the verdict.", 1, word=evidence["verdict"]["word"])
    for word, count in evidence["counts"].items():
        gauge("blackstart_run_steps", "Steps and checks by how they ended.", count, outcome=word)
    for what, seconds in evidence["path_s"].items():
        gauge("blackstart_run_critical_path_seconds", "What the critical path did.", seconds, doing=what)
    for claim in evidence["claims"]:
        name = {"kind": claim["kind"], "key": claim["key"]}
        gauge("blackstart_run_rpo_seconds", "How old the data were when the run began.", claim["rpo_s"], **name)
        gauge("blackstart_run_rto_seconds", "How long until they were proven.", claim["rto_s"], **name)
    gauge("blackstart_run_not_looked_at", "Things that nobody looked at.", len(evidence["not_looked_at"]))
    return generate_latest(registry).decode()
