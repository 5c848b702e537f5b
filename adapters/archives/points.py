"""What an archive promises of a restore to a time: from which base backup, on which timeline, how far at least. Asks nobody."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.archives.bases import Base
from adapters.archives.log import Segment, reach, start_of, timeline_of
from adapters.archives.results import RecoveryPoint
from engine.errors import PermanentError


def base_for(bases: Sequence[Base], as_of: float) -> Base:
    """The newest base backup that is whole and had ended by then (epoch seconds; 0.0: the newest). PermanentError for none."""
    good = [base for base in bases if not base.lacks and (not as_of or base.ended <= as_of)]
    if not good:
        whole = [base for base in bases if not base.lacks]
        when = " that old" if as_of and whole else ""
        raise PermanentError(
            f"the archive has no base backup{when} that a restore could begin from",
            evidence=tuple(f"{base.name}: {base.lacks or 'ended later'}" for base in bases[:3]),
        )
    return max(good, key=lambda one: one.ended)


def point_of(base: Base, segments: Sequence[Segment], as_of: float) -> RecoveryPoint:
    """How far that base backup comes by then. PermanentError where the log lacks what it needs, or does not say what that is.

    A segment is counted once it was written by then: what is in it happened before, so that a restore to that time replays all of
    it. Nothing is said of the one after it. A target behind the end of the log is none: PostgreSQL refuses to end before it.
    """
    if not base.begin_wal:
        raise PermanentError(f"base backup {base.name} does not say which of the log it needs")
    needed = [one for one in segments if as_of and one.written > as_of and one.name > base.end_wal]
    by_then = [one for one in segments if one not in needed] if needed else list(segments)
    found = reach(base, by_then)
    if found.missing:
        told = f"segment {found.missing} {'has no bytes' if found.hollow else 'is not there'}"
        raise PermanentError(f"base backup {base.name} cannot be made consistent", evidence=(told,))
    assert found.last is not None  # nothing is missing
    last, target = found.last, as_of if needed else 0.0
    # The last segment may be filled up to any place behind its beginning: only that place is certain.
    begins = start_of(last.name, base.segment_bytes)
    lsn, ends = max(begins, base.end_lsn), begins + base.segment_bytes
    remark = f"the log has a gap behind {last.name}" if found.beyond and not target else ""
    time = target or last.written
    return RecoveryPoint(base.name, base.system_id, timeline_of(last.name), lsn, last.name, time, target, remark, ends)
