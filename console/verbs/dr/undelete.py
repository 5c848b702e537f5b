"""dr.undelete: what former states of a claim's repository there are, and, by consent, one in a place of its own, checked."""

from __future__ import annotations

from shlex import quote

from rich.text import Text

from cluster.backups.audit import repository_of
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.session import Session
from console.views.rows import Row, Rows
from engine.errors import EXIT_OK, PermanentError, SettingsInvalid
from engine.journal import read_state
from engine.report import Report
from engine.text.words import number
from house.model import BackedUpClaim
from recovery.courses.undeleting import place_of, to_undelete, undelete_course
from recovery.points.asof import moment_of
from recovery.points.former import Former, Loss, former, losses, stamp

_SHOWN = 20


def undelete(settings: str, json: bool, claim: str, as_of: str, approve: str, report: str = "") -> int:
    """Without a time: when something went. With one: the plan of it, or, approved (or begun already), the act."""

    def body() -> int:
        return undelete_of(open_session("dr.undelete", settings, json, report=report), claim, as_of, approve)

    return guarded("dr.undelete", json, body, settings)


def undelete_of(session: Session, words: str, as_of: str, approve: str) -> int:
    """The same, of a session that stands open."""
    claim = to_undelete(session.house, words)
    if not as_of:
        if approve:
            raise SettingsInvalid("--approve names a plan, and which state it is for is missing", hint="give the same --as-of too")
        return _moments(session, claim)
    moment = float(int(moment_of(as_of, session.clock.now())))
    typed = f"invoke dr.undelete {claim.key} --as-of {quote(as_of)}"
    course = undelete_course(session.house, claim, moment)
    begun = any(step.id in read_state(session.house.state_dir, lineage=session.house.id).in_flight for step in course.steps)
    if not approve and not begun:
        return session.plan(course, act=typed, excluded=False)
    into = place_of(claim, moment)

    def last(report: Report) -> LastWords:
        done = f"{into} is {claim.key} as it was on {stamp(moment)}; {_use(claim, into)}"
        return LastWords("", done, typed, fields={"claim": claim.key, "into": into})

    return session.apply(course, approve, words=last)


def _use(claim: BackedUpClaim, into: str) -> str:
    rule = f"backups.open_as begins with `seen: {claim.mover_repository}` and `open: {into}`"
    secret = f"Secret {claim.namespace}/{claim.repository_secret}"
    return f"dr.list and dr.fetch read it where {rule}; a restore takes it where RESTIC_REPOSITORY of {secret} names it"


def _moments(session: Session, claim: BackedUpClaim) -> int:
    """What is there now, and before each loss what would have been: the newest first."""
    with session.doors(None) as doors:
        history = doors.look.versions.history(repository_of(session.house, claim))
    if not history:
        raise PermanentError(
            f"nothing was ever at {claim.open_as}, as far as the store has kept it", next_command="invoke dr.audit"
        )
    now, found = former(history), losses(history)
    rows = [(loss, former(history, loss.at - 1)) for loss in found[:_SHOWN]]
    if not session.json:
        _show(session, claim, now, rows, len(found))
    return session.finish(
        "looked", {"losses": len(found), "snapshots": len(now.snapshots)}, EXIT_OK, claim=claim.key, place=claim.open_as,
        moments=[
            {"as_of": loss.before, "snapshots_gone": loss.snapshots, "files_gone": loss.files, "written_over": loss.over,
             "snapshots": len(state.snapshots), "bytes": state.size} for loss, state in rows
        ],
    )  # fmt: skip


def _show(session: Session, claim: BackedUpClaim, now: Former, rows: list[tuple[Loss, Former]], found: int) -> None:
    page = session.page
    page.show(Rows([
        Row((Text(loss.before), Text(number(len(state.snapshots), "snapshot")), Text(f"{state.size / (1 << 20):,.1f} MiB")),
            f"then {number(loss.snapshots, 'snapshot')} and {number(loss.files, 'other file')} went{_over(loss)}")
        for loss, state in rows
    ]))  # fmt: skip
    if found > len(rows):
        page.say(f"and {number(found - len(rows), 'earlier one')}, not shown")
    there = f"{number(len(now.snapshots), 'snapshot')} now at {claim.open_as}"
    if not rows:
        page.say(f"{there}; nothing was deleted or written over that the store still knows of.")
        return
    page.say(f"\n{there}. Each line is a state just before something went: --as-of with its time shows what would be brought back.")


def _over(loss: Loss) -> str:
    return f", {loss.over} of them written over, which no restic does" if loss.over else ""
