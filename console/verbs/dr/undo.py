"""dr.undo: the volume that a claim had before its restore comes back, or is let go."""

from __future__ import annotations

from shlex import quote

from adapters.kept.results import KeptState
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.journal import read_state
from engine.report import Report
from recovery.courses.undoing import cut_off_course, let_go_course, one_name, to_let_go, to_undo, undo_course
from recovery.points.kept import on_its_way
from recovery.selection import named


def undo(settings: str, json: bool, claim: str, let_go: bool, approve: str, report: str = "") -> int:
    """The plan of it, which names what goes out of use and what comes back; or, approved (or begun already), the act."""

    def body() -> int:
        session = open_session("dr.undo", settings, json, report=report)
        refuse_unfit(session.house)
        return let_go_of(session, claim, approve) if let_go else undo_of(session, claim, approve)

    return guarded("dr.undo", json, body, settings)


def undo_of(session: Session, words: str, approve: str) -> int:
    """Bring the volume of before back; one that was cut off goes on without being asked for again."""
    begun = read_state(session.house.state_dir, lineage=session.house.id).in_flight
    with session.doors(None) as doors:
        (claim,) = named(session.house, one_name(words))
        left = cut_off_course(doors.look, session.house, claim, begun)
        if left is not None:
            done = f"{claim.key} has its volume of before: only the journal's word of it lacked"
            return session.apply(left, "", "invoke dr.hold", done, again=f"invoke dr.undo {claim.key}")
        claim, volume = to_undo(doors.look, session.house, words)
        entry = doors.look.hold.record().claim(claim.namespace, claim.claim)
    course = undo_course(session.house, claim, volume.name)
    again = f"invoke dr.undo {claim.key}"
    if not approve and not on_its_way(entry) and volume.state is KeptState.FREE:
        return session.plan(course, act=again)

    def words_of(report: Report) -> LastWords:
        done = f"{claim.key} has volume {volume.name} again; what was in use is kept: {again} --let-go once it is not needed"
        return LastWords("invoke dr.hold", done, again, fields={"claim": claim.key, "volume": volume.name})

    return session.apply(course, approve, words=words_of)


def let_go_of(session: Session, words: str, approve: str) -> int:
    """Let all that is kept of one claim go."""
    with session.doors(None) as doors:
        namespace, name = to_let_go(doors.look, words)
    course, typed = let_go_course(namespace, name), f"invoke dr.undo {namespace}/{name} --let-go"
    if not approve:
        return session.plan(course, act=typed)
    done, again = f"Nothing is kept of {namespace}/{name} any more", f"{typed} --approve {quote(approve)}"
    return session.apply(course, approve, "invoke dr.hold", done, again=again)
