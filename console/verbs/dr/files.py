"""dr.list and dr.fetch: what is where over the snapshots of one claim, and one file or folder of them written out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from rich.text import Text

from adapters.volsync.results import FileEntry
from cluster.backups.audit import repository_of
from cluster.backups.sources import named as named_place
from console.ending import guarded
from console.opened.opening import open_session
from console.session import Session
from console.views.problem import complete
from console.views.rows import Row, Rows
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, SettingsInvalid
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import number
from house.loader import Part
from house.model import BackedUpClaim
from recovery.files import Version, chosen, entry_words, fetch, newest, path_of, remarks, target_of, versions
from recovery.points.asof import as_time, refuse_to_come
from recovery.points.found import Everywhere, Held, everywhere, find_in
from recovery.selection import named


def list_path(settings: str, json: bool, claim: str, path: str, as_of: str) -> int:
    """The snapshots of one claim; with a path what is there in each of them."""

    def body() -> int:
        session = open_session("dr.list", settings, json, Part.BACKUPS)
        return list_of(session, one_claim(session, claim), path, as_of)

    return guarded("dr.list", json, body, settings)


def fetch_path(settings: str, json: bool, claim: str, path: str, into: str, as_of: str) -> int:
    """One file or folder of one claim's backup, written into a folder of this machine and compared."""

    def body() -> int:
        if not into:
            raise SettingsInvalid("--into is missing; right would be: --into FOLDER, which is made where there is none")
        session = open_session("dr.fetch", settings, json, Part.BACKUPS)
        return fetch_of(session, one_claim(session, claim), path, Path(into), as_of)

    return guarded("dr.fetch", json, body, settings)


def one_claim(session: Session, word: str) -> BackedUpClaim:
    """The claim of this name. Raises SettingsInvalid for none, several, or a list."""
    if "," in word or not word.strip():
        raise SettingsInvalid(f"{word or 'nothing'} is not one claim; right would be its name, or namespace/name")
    return named(session.house, word)[0]


def list_of(session: Session, claim: BackedUpClaim, words: str, as_of: str) -> int:
    """Its snapshots, or what is at one path in them."""
    path, until = path_of(words), as_time(as_of) if as_of else 0.0
    with session.doors(None) as doors:
        backups = doors.look.backups
        seen = everywhere(backups, session.house, claim, session.clock.now())
        refuse_to_come(as_of, until, session.clock.now(), [point.time for point in seen.points])
        held = [one for one in seen.held if not until or one.point.is_as_old_as(until)]
        if not held:
            chosen(seen.points, claim.key, until)
        found = find_in(backups, session.house, held, path) if words else ()
    _unseen(session, seen)
    if not words:
        return _snapshots(session, claim, held, seen)
    return _versions(session, claim, path, versions([one.point for one in held], found), seen)


def _unseen(session: Session, seen: Everywhere) -> None:
    """What the list cannot be whole without."""
    for told in seen.silent:
        session.page.say(f"note: nothing is seen of {told}")


def _snapshots(session: Session, claim: BackedUpClaim, held: Sequence[Held], seen: Everywhere) -> int:
    now = session.clock.now()
    rows, several = [], len(claim.sources) > 1
    for one in held:
        point = one.point
        age = "yet to come" if (old := age_of(point.time, now)) is None else span(old)
        cells = [point.snapshot_id[:8], point.pin, age, _count(point.files), _count(point.size)]
        cells += [one.place.repository_secret] if several else []
        odd = ("" if point.complete else point.lacks or "not complete", one.not_counted)
        rows.append(Row(tuple(map(Text, cells)), "; ".join(filter(None, odd))))
    headers = ("snapshot", "time", "age", "files", "bytes", *(["Secret of its place"] if several else []))
    session.page.show(Rows(rows, headers, name=1, right=frozenset({2, 3, 4})))
    over = f" in {number(len(claim.sources), 'place')}" if several else ""
    session.page.say(f"\n{claim.key}: {number(len(held), 'snapshot')}{over}. Nothing was changed.")
    session.page.say(f"Next: {complete(f'invoke dr.list {claim.key} PATH', session.settings)}   # / for all at the top")
    told = [
        {
            "snapshot": p.snapshot_id,
            "time": p.pin,
            "age_s": age_of(p.time, now),
            "files": p.files,
            "bytes": p.size,
            "complete": p.complete,
            "not_counted": one.not_counted or None,
            "place": one.place.repository_secret,
        }
        for one in held
        for p in (one.point,)
    ]
    counts = {"snapshots": len(held)}
    return session.finish("listed", counts, EXIT_OK, claim=claim.key, snapshots=told, unseen=[*seen.silent])


def _versions(session: Session, claim: BackedUpClaim, path: str, made: Sequence[Version], seen: Everywhere) -> int:
    """What was at the path, the newest first; of a folder what is in the newest that has it."""
    there = next((one for one in made if one.found.entry is not None), None)
    unknown = sum(bool(one.found.broken) for one in made)
    if there is not None and there.found.below:
        cells = [(*entry_words(e), e) for e in there.found.below]
        rows = [Row((Text(size), Text(_changed(e)), Text(name))) for size, name, e in cells]
        session.page.show(Rows(rows, ("bytes", "changed", f"/{path} in {there.points[0].snapshot_id[:8]} of {there.points[0].pin}"),
                               name=2, right=frozenset({0})))  # fmt: skip
        session.page.say()
    rows = [Row((Text(one.points[0].snapshot_id[:8]), Text(_span(one))), _version_words(one)) for one in made]
    session.page.show(Rows(rows, ("newest", "in the snapshots of", f"/{path} is"), name=1))
    if there is None and not unknown:
        said = "that can be seen " if seen.silent else ""
        session.page.say(f"\nNo snapshot of {claim.key} {said}has /{path}.")
    elif there is not None:
        following = f"invoke dr.fetch {claim.key} {quote(path or '/')} --into FOLDER --as-of {there.points[0].pin}"
        session.page.say(f"\nNext: {complete(following, session.settings)}")
    told = [
        {
            "snapshots": [p.snapshot_id for p in one.points], "newest": one.points[0].pin, "oldest": one.points[-1].pin,
            "place": seen.holding(one.points[0]).repository_secret,
            "unknown": one.found.broken or None, "entry": _json(one.found.entry), "below": [_json(e) for e in one.found.below],
        }
        for one in made
    ]  # fmt: skip
    counts = {"versions": sum(one.found.entry is not None for one in made), "unknown": unknown}
    return session.finish(
        "listed", counts, EXIT_OK if there is not None else EXIT_STEP_FAILED, claim=claim.key, path=path, versions=told,
        unseen=[*seen.silent],
    )  # fmt: skip


def fetch_of(session: Session, claim: BackedUpClaim, words: str, into: Path, as_of: str) -> int:
    """Write it out; the folder has it under its own name, whole and compared, or not at all."""
    path, until = path_of(words), as_time(as_of) if as_of else 0.0
    target = target_of(into, path, claim.claim)
    with session.doors(None) as doors:
        seen = everywhere(doors.look.backups, session.house, claim, session.clock.now())
        refuse_to_come(as_of, until, session.clock.now(), [point.time for point in seen.points])
        _unseen(session, seen)
        count = seen.count
        point = chosen(seen.points, claim.key, until) if until else newest(count, claim.key)
        place = seen.holding(point)
        for line in remarks(point, count, named=bool(until)):
            session.page.say(f"note: {line}")
        if not point.complete:
            lacks = point.lacks or "its backup could not read all, or it is far smaller than usual"
            session.page.say(f"note: snapshot {point.snapshot_id[:8]} is not complete: {lacks}")
        at = f" in {named_place(place)}" if len(claim.sources) > 1 else ""
        session.page.say(f"Fetching /{path} of {claim.key} from snapshot {point.snapshot_id[:8]} of {point.pin}{at} ...")
        written = fetch(doors.look.backups, repository_of(session.house, place), point, path, target)
    got = written.fetched
    told = f"{number(got.files, 'file')} of {number(got.size, 'byte')}, each byte compared with the snapshot"
    session.page.say(f"{target}: {told}; {got.aside}. Nothing else was changed.")
    _loose(session, written.loose)
    return session.finish(
        "fetched", {"files": got.files, "bytes": got.size}, EXIT_OK, claim=claim.key, path=path, target=target,
        snapshot=point.snapshot_id, time=point.pin, place=place.repository_secret, not_compared=got.aside,
        not_synced=[*map(str, written.loose)],
    )  # fmt: skip


def _loose(session: Session, loose: Sequence[Path]) -> None:
    """What a power cut would take of that which was just called fetched."""
    if loose:
        named = ", ".join(map(str, loose[:3])) + (" ..." if len(loose) > 3 else "")
        why = "for its modes do not let it be opened again, or its file system cannot be waited for"
        session.page.say(f"note: not known to be on the disk yet: {number(len(loose), 'entry', 'entries')}, {why}: {named}")
        session.page.say("Before the power may go: sync")


def _version_words(one: Version) -> str:
    entry = one.found.entry
    return one.told if entry is None or entry.kind == "dir" else f"{one.told}, changed {_changed(entry)}"


def _span(one: Version) -> str:
    first, last = one.points[-1].pin, one.points[0].pin
    return last if len(one.points) == 1 else f"{first} to {last} ({len(one.points)})"


def _changed(entry: FileEntry) -> str:
    if entry.mtime_ns is None:
        return "unknown"
    seconds = entry.mtime_ns // 10**9
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a file system keeps years that no calendar here has
        return f"{seconds} s from 1970"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _json(entry: FileEntry | None) -> dict[str, object] | None:
    if entry is None:
        return None
    return {
        "path": entry.path, "kind": entry.kind, "bytes": entry.size if entry.kind == "file" else None, "mode": f"{entry.mode:o}",
        "uid": entry.uid, "gid": entry.gid, "changed": _changed(entry), "target": entry.target,
    }  # fmt: skip
