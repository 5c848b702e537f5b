"""cluster.*: preflight, plan, bootstrap, new-secrets, verify, storage, status."""

from __future__ import annotations

from pathlib import Path

from adapters.context import LookContext
from bootstrap.checks.etcd_healthy import EtcdHealthy
from bootstrap.checks.keys import NO_BUNDLE
from bootstrap.course import course
from bootstrap.new_secrets import course as secrets_course
from cluster.certificates_check import certificates_check
from cluster.components.registry import asks, component_checks
from cluster.course import Course, HouseCheck
from cluster.dns_check import dns_checks
from cluster.inventory_check import InventoryAge
from cluster.storage.at_once import asked_at_once
from cluster.storage.findings import Weight
from cluster.storage.kinds import storage_checks
from cluster.storage.nas.check import nas_checks
from cluster.storage.systems import look_at_storage
from cluster.storage.trials import classes_to_prove, trial_checks
from cluster.vault_items import vault_checks
from console.ending import guarded
from console.gate import Gate, gate_named, proof_checks
from console.opened.opening import open_session
from console.opened.programs import refuse_blind, refuse_unfit
from console.screens.runbook import write_runbook
from console.screens.storage import show_storage, storage_counts, storage_rows
from console.screens.unlooked import outline, remembered
from console.session import Session
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED, PermanentError, SettingsInvalid
from engine.journal import read_state
from engine.workers import Threads
from house.files.paths import expanded
from house.files.problems import Problem, shown
from house.model import House
from recovery.course import course as restore_course
from recovery.courses.proving import proving_course

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
        written = runbook_of(session, expanded(Path(runbook)), whole) if runbook else ()
        return outline(session, whole, written, _lost(session.house)) if offline else session.plan(whole, written)

    return guarded("cluster.plan", json, body, settings)


def _lost(house: House) -> tuple[str, ...]:
    """What a run needs of the repository and is not there, though nothing in it names the place."""
    bundle = house.cluster.secrets_bundle
    lost = [] if bundle.is_file() else [Problem(shown(bundle, house.root), 0, "", "is not there", NO_BUNDLE)]
    return tuple(map(str, lost))


def runbook_of(session: Session, path: Path, whole: Course) -> tuple[Path, ...]:
    """The runbook of building and restoring: a night that needs the one needs the other."""
    house = session.house
    if path.name == "-" or (path.exists() and not path.is_file()):
        raise SettingsInvalid(
            f"the runbook is a page with a file beside it: {path} holds neither", hint="--runbook names a file, such as runbook.md"
        )
    data = house.claims or house.restorable
    restore = restore_course(house, house.claims, known=session.known(), databases=house.restorable) if data else None
    try:
        return write_runbook(path, house, whole, restore)
    except OSError as error:
        raise PermanentError(
            f"the runbook cannot be written to {path}: {error.strerror}", hint="--runbook names a file in a folder that is there"
        ) from error


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
            return session.plan(course, excluded=False)
        bundle = session.house.cluster.secrets_bundle
        done = f"{bundle} holds the secrets, encrypted: commit and push it, then invoke cluster.bootstrap"
        return session.apply(course, approve, done=done)

    return guarded("cluster.new-secrets", json, body, settings)


def verify(settings: str, json: bool, report: str = "", gate: str = "") -> int:
    """Whether the house is as the settings say, one look at everything; with `gate`, whether that may be done now."""

    def body() -> int:
        wanted = gate_named(gate) if gate else None
        session = open_session("cluster.verify", settings, json, report=report)
        refuse_blind()
        return verify_of(session, wanted)

    return guarded("cluster.verify", json, body, settings)


def verify_of(session: Session, gate: Gate | None = None) -> int:
    """The same, of a session that stands open."""
    house, known = session.house, session.known()
    if gate is None:
        return session.verify(course(house, known), lambda look, whole: with_systems(house, look, whole))
    proofs = proof_checks(house, known, session.clock.now())

    def also(look: LookContext, whole: Course) -> tuple[LookContext, Course]:
        seen, all_ = with_systems(house, look, whole)
        return seen, all_.with_checks((EtcdHealthy(house), *proofs))

    report = gate.of(session.looked(course(house, known), also))
    return session.finish_run(report, gate.words(report))


def with_systems(house: House, look: LookContext, whole: Course) -> tuple[LookContext, Course]:
    """A course with a row for each part of every storage and component that the house has, and the views that have asked them all
    at once."""
    seen = asked_at_once(look, house, Threads(), asks)
    stored = whole.with_checks((*nas_checks(house), *storage_checks(seen, house), *trial_checks(seen, house)))
    written: tuple[HouseCheck, ...] = (InventoryAge(house), *certificates_check(house), *vault_checks(house))
    return seen, stored.with_checks((*component_checks(seen, house), *written, *dns_checks(house)))


def storage(settings: str, json: bool, prove: bool) -> int:
    """Every storage system by itself: what it says, since when, what hangs on it; `prove`: snapshots of each class, for real."""

    def body() -> int:
        session = open_session("cluster.storage", settings, json)
        return prove_of(session) if prove else storage_of(session)

    return guarded("cluster.storage", json, body, settings)


def storage_of(session: Session) -> int:
    """The same, of a session that stands open; its codes are those of verify."""
    with session.doors(None) as doors:
        seen = look_at_storage(doors.look, session.house, Threads())
    show_storage(session.page, seen)
    code = {Weight.BLOCKS: EXIT_DRIFT, Weight.UNKNOWN: EXIT_STEP_FAILED}.get(seen.weight, EXIT_OK)
    outcome = {EXIT_OK: "done"}.get(code, "failed")
    told = {"elsewhere": seen.elsewhere, "unplaced": seen.unplaced}
    return session.finish(outcome, storage_counts(seen), code, systems=storage_rows(seen), **told)


def prove_of(session: Session) -> int:
    """Prove snapshots of every class that backups come from."""
    with session.doors(None) as doors:
        classes = classes_to_prove(doors.look, session.house)
    if not classes:
        raise PermanentError(
            "there is no storage class whose snapshots could be proven",
            hint="one that a backed-up claim has, and whose driver a VolumeSnapshotClass names; does an API server answer?",
        )
    return session.apply(proving_course(classes), done=f"Snapshots proven: {', '.join(classes)}")


def status(settings: str, json: bool) -> int:
    """What the journal remembers; looks at nothing."""

    def body() -> int:
        session = open_session("cluster.status", settings, json)
        return remembered(session, read_state(session.house.state_dir, lineage=session.house.id))

    return guarded("cluster.status", json, body, settings)
