"""cluster.preflight, plan, bootstrap, new-secrets and status."""

from __future__ import annotations

from pathlib import Path

from bootstrap.checks.repository.keys import to_mend
from bootstrap.course import course
from bootstrap.new_secrets import course as secrets_course
from cluster.course import Course
from console.ending import guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.journal import read_state
from house.files.paths import expanded, no_file
from house.files.problems import Problem, shown
from house.model import House

NEXT_RESTORE = "invoke dr.restore"


def preflight(settings: str, json: bool, report: str = "") -> int:
    """Every check that a run makes before it changes anything."""

    def body() -> int:
        session = open_session("cluster.preflight", settings, json, report=report)
        return preflight_of(session)

    return guarded("cluster.preflight", json, body, settings)


def preflight_of(session: Session) -> int:
    """The same, of a session that stands open."""
    refuse_unfit(session.house)
    return session.preflight(course(session.house, session.known()).checks_of("preflight"))


def plan(settings: str, json: bool, offline: bool, runbook: str) -> int:
    """What a bootstrap would do; offline: its steps alone, from the settings, without a look at the house."""

    def body() -> int:
        session = open_session("cluster.plan", settings, json)
        whole = course(session.house, session.known())
        written = _runbook(session, expanded(Path(runbook)), whole) if runbook else ()
        return _outline(session, whole, written) if offline else session.plan(whole, written, act="invoke cluster.bootstrap")

    return guarded("cluster.plan", json, body, settings)


# What only a runbook, a plan offline or a memory needs is imported with it: a plan of a dark house is waited for.


def _runbook(session: Session, path: Path, whole: Course) -> tuple[Path, ...]:
    from console.screens.runbook import runbook_of

    return runbook_of(session.house, session.known(), path, whole)


def _outline(session: Session, whole: Course, written: tuple[Path, ...]) -> int:
    from console.screens.unlooked import outline

    return outline(session, whole, written, _lost(session.house))


def _lost(house: House) -> tuple[str, ...]:
    """What a run needs of the repository and is not there, though nothing in it names the place."""
    bundle = house.cluster.secrets_bundle
    told = no_file(bundle)
    return (str(Problem(shown(bundle, house.root), 0, "", told, to_mend(told))),) if told else ()


def bootstrap(settings: str, json: bool, approve: str, report: str = "") -> int:
    """From bare hosts to a cluster that Flux runs."""

    def body() -> int:
        return bootstrap_of(open_session("cluster.bootstrap", settings, json, report=report), approve)

    return guarded("cluster.bootstrap", json, body, settings)


def bootstrap_of(session: Session, approve: str) -> int:
    """The same, of a session that stands open."""
    refuse_unfit(session.house)
    return session.apply(course(session.house, session.known()), approve, NEXT_RESTORE, "Cluster built")


def new_secrets(settings: str, json: bool, approve: str, report: str = "") -> int:
    """New Talos secrets where there are none: the plan of it and what it costs, or, approved, the act."""

    def body() -> int:
        session = open_session("cluster.new-secrets", settings, json, report=report)
        refuse_unfit(session.house)
        course = secrets_course(session.house)
        if not approve:
            return session.plan(course, act="invoke cluster.new-secrets", excluded=False)
        bundle = session.house.cluster.secrets_bundle
        done = f"{bundle} holds the secrets, encrypted: commit and push it, then invoke cluster.bootstrap"
        return session.apply(course, approve, done=done)

    return guarded("cluster.new-secrets", json, body, settings)


def status(settings: str, json: bool) -> int:
    """What the journal remembers; looks at nothing."""

    def body() -> int:
        from console.screens.unlooked import remembered

        session = open_session("cluster.status", settings, json)
        return remembered(session, read_state(session.house.state_dir, lineage=session.house.id))

    return guarded("cluster.status", json, body, settings)
