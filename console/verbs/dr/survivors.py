"""dr.survivors: volumes that outlived a lost cluster, by its inventory: written again, looked at, and held against the backups."""

from __future__ import annotations

from shlex import quote

from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PermanentError
from engine.report import Report
from engine.text.words import number
from house.known.inventory import INVENTORY_FILE, known_inventory
from house.model import House
from recovery.courses.surviving import looking_course
from recovery.points.survivors import Survivor, There, by_hand, outlived, volume_of
from recovery.selection import in_turn
from recovery.steps.volumes.look_survivor import winner


def survivors(settings: str, json: bool, claims: str, report: str = "") -> int:
    """Look at those of these claims, or at all that lie where no loss of a cluster reaches. No claim gets its volume by it."""

    def body() -> int:
        session = open_session("dr.survivors", settings, json, report=report)
        refuse_unfit(session.house)
        return survivors_of(session, claims)

    return guarded("dr.survivors", json, body, settings)


def survivors_of(session: Session, words: str) -> int:
    """The same, of a session that stands open."""
    house = session.house
    refuse_unknown(house)
    chosen = in_turn(house, words)
    with session.doors(None) as doors:
        known = outlived(doors.look, house, chosen)
    found = known if words else tuple(one for one in known if one.where.there is There.MAYBE)
    left = [one for one in known if one not in found]
    doubtful = any(one.where.there is There.UNKNOWN for one in left)
    rows = [_left(house, one) for one in left]
    if not session.json:
        for one in left:
            session.page.say(f"not looked at, {_why(one)}: {one.volume.name} of {one.claim.key}: {by_hand(house, one)}")
    if not found:
        if not session.json and not left:
            session.page.say(f"No claim without a volume is known by {INVENTORY_FILE} to have had one.")
        code = EXIT_STEP_FAILED if doubtful else EXIT_OK
        return session.finish("failed" if doubtful else "noop", {"survivors": 0}, code, survivors=[], not_looked_at=rows)

    def words_of(report: Report) -> LastWords:
        seen = _rows(session, found)
        done = f"{number(len(seen), 'volume')} looked at; a restore takes what wins"
        code = EXIT_STEP_FAILED if doubtful and report.exit_code == EXIT_OK else None
        again = f"invoke dr.survivors --claims {quote(words)}" if words else ""
        return LastWords("invoke dr.plan", done, again, fields={"survivors": seen, "not_looked_at": rows}, code=code)

    return session.apply(looking_course(house, found, session.known()), "", words=words_of)


def _left(house: House, one: Survivor) -> dict[str, object]:
    return {"claim": one.claim.key, "volume": one.volume.name, "there": one.where.there, "by_hand": by_hand(house, one)}


def _why(one: Survivor) -> str:
    if one.where.there is There.UNKNOWN:
        return "as nobody can say whether it is there"
    return "as nobody says that it is there"


def refuse_unknown(house: House) -> None:
    """PermanentError where nothing is written down of what the cluster had."""
    known = known_inventory(house)
    if known is None or known.cluster is None:
        raise PermanentError(
            f"{INVENTORY_FILE} does not say which volumes the cluster had: {'it is not there' if known is None else 'it has none'}",
            hint="take the file back from Git if it was there once; else bring a volume that survived back by hand, before its "
            "claim is restored: a PersistentVolume with the reclaim policy Retain and the claimRef of that claim",
        )


def _rows(session: Session, found: tuple[Survivor, ...]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with session.doors(None) as doors:
        for one in found:
            volume = volume_of(doors.look, one)
            seen = volume.found if volume is not None else None
            rows.append({
                "claim": one.claim.key, "volume": one.volume.name, "driver": one.volume.driver, "handle": one.volume.handle,
                "found": seen.word if seen is not None else None, "told": seen.told if seen is not None else "nobody has looked",
                "wins": winner(seen) if seen is not None else "",
            })  # fmt: skip
    return rows
