"""What buckets keep of what is deleted, as lines and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.versions.results import Keeping, May, StoreGuard
from cluster.backups.buckets import BucketAudit
from engine.secrets import told
from engine.text.words import number, some

_SAYS = {
    Keeping.KEPT: "versions are kept", Keeping.SUSPENDED: "versions are not kept any more, those of before are",
    Keeping.NONE: "versions are not kept: what is deleted is gone", Keeping.UNKNOWN: "whether versions are kept is not known",
}  # fmt: skip
_DAY_S = 86400.0


def bucket_lines(buckets: Sequence[BucketAudit]) -> Iterator[str]:
    """A line for each bucket and one for whose keys could undo it, then where the set-up is described."""
    if buckets:
        yield ""
    for one in buckets:
        head = f"bucket {one.bucket} ({number(len(one.claims), 'backup')})"
        if one.guard is None:
            yield told(f"{head}: not looked at for versions and locks ({one.why})")
            continue
        yield told(f"{head}: {'; '.join(_kept(one.guard))}")
        if one.keys:
            yield told(f"  taking versions away: {'; '.join(_keys(one))}")
    if any(not one.safe for one in buckets):
        yield "backups that an intruder cannot delete: docs/deletion.md has the set-up"


def bucket_rows(buckets: Sequence[BucketAudit]) -> list[dict[str, object]]:
    """The same for a program; seconds, null where nobody knows."""
    return [
        {
            "bucket": one.bucket, "claims": one.claims, "why": told(one.why), "safe": one.safe,
            "versions": one.guard.keeping if one.guard is not None else None,
            "kept_s": one.guard.kept_s if one.guard is not None else None,
            "lock": one.guard.lock if one.guard is not None else None,
            "lock_s": one.guard.lock_s if one.guard is not None else None,
            "not_known": one.guard.why if one.guard is not None else (),
            "keys": [{"whose": key.key, "may_undo": key.may, "why": told(key.why)} for key in one.keys],
        }
        for one in buckets
    ]  # fmt: skip


def _kept(guard: StoreGuard) -> Iterator[str]:
    some_kept = guard.keeping in (Keeping.KEPT, Keeping.SUSPENDED)
    if some_kept and guard.kept_s is None:
        yield f"{_SAYS[guard.keeping]}, for how long is not known"
    elif some_kept:
        limit = f"for {guard.kept_s / _DAY_S:g} days" if guard.kept_s else "until somebody takes them away"
        yield f"{_SAYS[guard.keeping]}, {limit}"
    else:
        yield _SAYS[guard.keeping]
    if guard.lock is None:
        yield "whether a lock holds is not known"
    elif guard.lock:
        yield f"a lock holds for {guard.lock_s / _DAY_S:g} days ({guard.lock})"
    elif some_kept:
        yield "no lock holds"
    yield from guard.why


def _keys(one: BucketAudit) -> Iterator[str]:
    words = {May.YES: "possible with", May.NO: "refused to", May.UNKNOWN: "not known of"}
    for may, word in words.items():
        if named := [f"{key.key}{f' ({key.why})' if key.why else ''}" for key in one.keys if key.may is may]:
            yield f"{word} {some(named)}"
