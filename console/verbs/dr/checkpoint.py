"""dr.checkpoint: everything saved at rest and proven, so that the house may be wiped; or what is not."""

from __future__ import annotations

from pathlib import Path

from adapters.backups.results import Depth
from bootstrap.recover_etcd import saving
from cluster.course import Course
from cluster.inventory import take
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from console.verbs.dr.audit import Wanted, audited, locked, wanted_of
from engine.report import Report
from house.known.inventory import inventory_path, known_inventory
from house.known.inventory_text import write_inventory
from house.known.lock import lock_path, write_lock
from recovery.courses.checkpoint import checkpoint_course

BACK = "invoke cluster.start"


def checkpoint(settings: str, json: bool, depth: str, approve: str, report: str = "") -> int:
    """The plan of what stops and is saved; or, approved, the act."""

    def body() -> int:
        wanted = wanted_of(depth, "")
        session = open_session("dr.checkpoint", settings, json, report=report)
        refuse_unfit(session.house)
        return checkpoint_of(session, wanted, approve)

    return guarded("dr.checkpoint", json, body, settings)


def checkpoint_of(session: Session, wanted: Wanted, approve: str) -> int:
    """The same, of a session that stands open."""
    course = whole_course(session, wanted)
    typed = "invoke dr.checkpoint" if wanted == Wanted() else f"invoke dr.checkpoint --depth {wanted.word}"
    if not approve:
        return session.plan(course, act=typed)
    known_inventory(session.house)  # a damaged one is told before anything stops
    again = f"{typed} --approve {approve}   # what rests is put back by: {BACK}"

    def words(report: Report) -> LastWords:
        if not report.converged:
            return LastWords(again=again)
        written, lacking = write_known(session)
        session.tell_written(written)
        told = f"Safe to wipe until an application starts again; {BACK} puts all of it back as it was"
        more = f"{told}. Not all could be written down: {lacking}" if lacking else told
        return LastWords(done=more, fields={"safe": True, "written": written, "not_written": lacking or None})

    return session.apply(course, approve, words=words)


def whole_course(session: Session, wanted: Wanted) -> Course:
    """Applications and backups, and etcd's snapshot besides."""
    etcd = saving(session.house)
    made = checkpoint_course(session.house, session.known(), depth=wanted.depth, part=wanted.part, and_then=("etcd.saved",))
    return Course((*made.checks, *etcd.checks), (*made.steps, *etcd.steps))


def write_known(session: Session) -> tuple[tuple[Path, ...], str]:
    """Lock file and inventory as the house is now; answers the files, and what could not be looked at, "" for nothing."""
    house = session.house
    audits, _, _ = audited(session, Wanted(Depth.LISTED))
    write_lock(lock_path(house), locked(session, audits))
    with session.doors(None) as doors:
        taken = take(doors.look, house)
    lacking = "; ".join(f"{section} ({why})" for section, why in taken.silent.items())
    if len(taken.silent) > 1:
        return (lock_path(house),), lacking
    write_inventory(inventory_path(house), taken.kept(known_inventory(house)))
    return (lock_path(house), inventory_path(house)), lacking
