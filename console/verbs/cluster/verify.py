"""cluster.verify and cluster.storage: a look at everything, and at what stands under the data. No other verb imports as much."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.context import LookContext
from bootstrap.checks.etcd.etcd_healthy import EtcdHealthy
from bootstrap.course import course
from cluster.ahead import ask_ahead
from cluster.certificates_check import certificates_check
from cluster.components.registry import asks, component_checks
from cluster.course import Course, HouseCheck
from cluster.dns_check import dns_checks
from cluster.inventory_check import InventoryAge
from cluster.storage.at_once import Ask, asked_at_once
from cluster.storage.findings import Weight
from cluster.storage.kinds import storage_checks
from cluster.storage.nas.check import nas_checks
from cluster.storage.systems import look_at_storage
from cluster.storage.trials import classes_to_prove, trial_checks
from cluster.vault_items import vault_checks
from console.ending import guarded
from console.gate import Gate, gate_named, proof_checks
from console.opened.opening import open_session
from console.opened.programs import refuse_blind
from console.screens.storage import show_storage, storage_counts, storage_rows
from console.session import Session
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED, PermanentError
from engine.workers import Threads
from house.model import House
from recovery.courses.proving import proving_course


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
        return session.verify(course(house, known), lambda look, whole: with_systems(house, look, whole, session.beside))
    proofs = proof_checks(house, known, session.clock.now())

    def also(look: LookContext, whole: Course) -> tuple[LookContext, Course]:
        seen, all_ = with_systems(house, look, whole, session.beside)
        return seen, all_.with_checks((EtcdHealthy(house), *proofs))

    report = gate.of(session.looked(course(house, known), also))
    return session.finish_run(report, gate.words(report))


def with_systems(house: House, look: LookContext, whole: Course, bugs: list[str]) -> tuple[LookContext, Course]:
    """A course with a row for each part of every storage and component that the house has, and the views that have asked them all
    at once. For `bugs` see ask_ahead."""
    workers = Threads()

    def also(seen: LookContext) -> Iterable[Ask]:
        ask_ahead(seen, house, workers, bugs)
        return asks(seen)

    seen = asked_at_once(look, house, workers, also)
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
    done = f"Snapshots proven: {', '.join(classes)}"
    return session.apply(proving_course(classes), done=done, again="invoke cluster.storage --prove")
