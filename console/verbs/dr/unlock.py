"""dr.unlock: whose locks keep a claim's repositories, since when; those of dead owners go by consent."""

from __future__ import annotations

from collections.abc import Iterator

from console.ending import guarded
from console.opened.opening import open_session
from console.session import Session
from engine.errors import EXIT_OK, PermanentError
from engine.journal import read_state
from engine.text.words import number
from recovery.courses.unlocking import Locked, looked_at, to_unlock, unlock_course


def unlock(settings: str, json: bool, claim: str, approve: str, report: str = "") -> int:
    """The plan of it, which names each lock that would go; or, approved, the act."""

    def body() -> int:
        return unlock_of(open_session("dr.unlock", settings, json, report=report), claim, approve)

    return guarded("dr.unlock", json, body, settings)


def unlock_of(session: Session, words: str, approve: str) -> int:
    """The same, of a session that stands open."""
    claim = to_unlock(session.house, words)
    typed = f"invoke dr.unlock {claim.key}"
    with session.doors(None) as doors:
        seen = looked_at(doors.look, session.house, claim)
    if silent := [one.silent for one in seen if one.silent is not None]:
        raise silent[0]
    begun = read_state(session.house.state_dir, lineage=session.house.id).in_flight
    course, dead = unlock_course(session.house, seen, begun), any(each.dead for one in seen for each in one.locks)
    if approve or (course.steps and not dead):  # or a run that was cut off has left nothing but its last word to be written
        done = f"No dead lock keeps anybody out of the backups of {claim.key}"
        return session.apply(course, approve, done=done, again=typed)
    alive = [each.told for one in seen for each in one.locks if not each.dead]
    if dead:
        for line in alive:
            session.page.say(f"stays: {line}")
        return session.plan(course, act=typed, excluded=False)
    if alive:
        raise PermanentError(
            f"the backups of {claim.key} are locked by who may live: nothing is taken away",
            evidence=tuple(alive), hint="wait for it to end, or end it where it runs; then the same again",
            next_command=typed,
        )  # fmt: skip
    for line in _free(seen):
        session.page.say(line)
    return session.finish("noop", {"locks": 0}, EXIT_OK, claim=claim.key, places=[one.place.source_key for one in seen])


def _free(seen: tuple[Locked, ...]) -> Iterator[str]:
    yield f"No lock is in {number(len(seen), 'repository', 'repositories')}; nothing was changed."
    for one in seen:
        yield f"  {one.place.source_key}: {one.place.open_as}"
