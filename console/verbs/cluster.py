"""cluster.*: preflight, plan, bootstrap, verify, status."""

from __future__ import annotations

from pathlib import Path

from bootstrap.course import course
from cluster.course import Course
from console.opening import open_session
from console.runbook import write_runbook
from console.session import guarded
from engine.journal import read_state

NEXT_RESTORE = "invoke dr.restore"


def preflight(settings: str, json: bool) -> int:
    """Every check that a run makes before it changes anything."""

    def body() -> int:
        session = open_session("cluster.preflight", settings, json)
        whole = course(session.house, session.known())
        return session.preflight(Course(tuple(c for c in whole.checks if c.id.startswith("preflight.")), ()))

    return guarded("cluster.preflight", json, body, settings)


def plan(settings: str, json: bool, offline: bool, runbook: str) -> int:
    """What a bootstrap would do; offline: its steps alone, from the settings, without a look at the house."""

    def body() -> int:
        session = open_session("cluster.plan", settings, json)
        whole = course(session.house, session.known())
        if runbook:
            write_runbook(Path(runbook), session.house, whole)
        return session.outline(whole) if offline else session.plan(whole)

    return guarded("cluster.plan", json, body, settings)


def bootstrap(settings: str, json: bool, approve: str) -> int:
    """From bare hosts to a cluster that Flux runs."""

    def body() -> int:
        session = open_session("cluster.bootstrap", settings, json)
        return session.apply(course(session.house, session.known()), approve, NEXT_RESTORE)

    return guarded("cluster.bootstrap", json, body, settings)


def verify(settings: str, json: bool) -> int:
    """Whether the house is as the settings say, one look at everything."""

    def body() -> int:
        session = open_session("cluster.verify", settings, json)
        return session.verify(course(session.house, session.known()))

    return guarded("cluster.verify", json, body, settings)


def status(settings: str, json: bool) -> int:
    """What the journal remembers; looks at nothing."""

    def body() -> int:
        session = open_session("cluster.status", settings, json)
        return session.remembered(read_state(session.house.state_dir, lineage=session.house.id))

    return guarded("cluster.status", json, body, settings)
