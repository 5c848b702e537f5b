"""What the servers of a house say to each verb, where somebody asks them: the very looks of those verbs. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.backups.results import Depth, Verdict
from bootstrap.course import course
from cluster.backups.audit import Asked
from cluster.backups.auditing import Audited, audit_all
from cluster.course import Course
from cluster.databases import audit_archives
from cluster.storage.nas.showing import Showing
from console.doctor.nouns import Lack
from console.session import Session
from engine.report import StepReport
from engine.text.words import number
from engine.workers import Threads
from recovery.checks import in_place, mounted, restorable
from rehearsal.checks import HouseFree

_SHOWN = 3


def of_stores(session: Session) -> tuple[Lack, ...]:
    """Whether every repository opens and lists a snapshot; no deeper than that."""
    house, known = session.house, session.known()

    def untold(one: Audited) -> None:
        """The doctor's page is one page."""

    with session.doors(None) as doors:
        look, asked = doors.look, Asked(known, depth=Depth.LISTED)
        judged = Showing(house, look.nas, look.proxmox).judged
        audits = audit_all(look.backups, look.clock, house, asked, Threads(), untold, judged)
    bad = [f"{one.claim.source_key}: {one.verdict.value}, {one.detail}" for one in audits if one.verdict is not Verdict.OK]
    return _first(bad, "backup")


def of_archives(session: Session) -> tuple[Lack, ...]:
    """Whether the archive of every database opens, and its base backups and log are no older than they may be."""
    if not session.house.archives:
        return ()
    with session.doors(None) as doors:
        audits = audit_archives(doors.look.archives, doors.look.clock, session.house)
    return _first([f"{one.archive.key}: {one.verdict.value}, {one.detail}" for one in audits if not one.good], "archive")


def _first(bad: list[str], noun: str) -> tuple[Lack, ...]:
    more = [f"{number(len(bad) - _SHOWN, noun)} more that are not ok"] if len(bad) > _SHOWN else []
    return tuple(Lack(line) for line in (*bad[:_SHOWN], *more))


def of_preflight(session: Session) -> tuple[Lack, ...]:
    """Every check that a bootstrap makes before it changes anything."""
    return _failing(session, course(session.house, session.known()).checks_of("preflight"))


def of_restore(session: Session) -> tuple[Lack, ...]:
    """The cluster answers, the hold bites on each of its API servers, and each claim has a destination."""
    house = session.house
    claims = house.claims
    wanted = Course((*restorable.checks(house, claims), *mounted.checks(house, claims), in_place.InPlace(house)), ())
    return _failing(session, wanted)


def of_drill(session: Session) -> tuple[Lack, ...]:
    """Nothing is held, and no recovery is going on."""
    return _failing(session, Course((HouseFree(),), ()))


def _failing(session: Session, checks: Course) -> tuple[Lack, ...]:
    return tuple(_lacks(session.looked(checks).root_causes))


def _lacks(steps: tuple[StepReport, ...]) -> Iterator[Lack]:
    for step in steps[:_SHOWN]:
        told = step.error.what if step.error is not None else step.detail
        yield Lack(f"{step.id}: {told}")
    if len(steps) > _SHOWN:
        yield Lack(f"{number(len(steps) - _SHOWN, 'check')} more that say no")
