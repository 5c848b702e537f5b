"""Which verdict follows from a listing, and which from what restic said. Asks nothing and nobody."""

from __future__ import annotations

from adapters.backups.places import Contents
from adapters.backups.results import Verdict
from adapters.backups.sayings import Saying
from engine.words import number


def by_listing(contents: Contents) -> tuple[Verdict, str] | None:
    """The verdict that the listing alone allows, None when restic must be asked."""
    if contents.foreign_engine:
        return Verdict.FOREIGN, f"a repository of {contents.foreign_engine}"
    if contents.config_size is not None:
        if contents.config_size == 0:
            return Verdict.UNREADABLE, "its config has no bytes"
        if not contents.keys:
            return Verdict.UNREADABLE, "it has a config, but no key is left"
        if contents.hollow:
            return Verdict.UNREADABLE, f"{len(contents.hollow)} of its {contents.indexes} indexes without bytes"
        if contents.snapshots_written and not contents.indexes:
            listed = number(contents.snapshots, "snapshot is", "snapshots are")
            return Verdict.UNREADABLE, f"{listed} listed, and no index is left to find their data by"
        return None
    if contents.keys or contents.snapshots or contents.indexes or contents.packs or contents.locks:
        kinds = {"key": contents.keys, "snapshot": contents.snapshots, "index": contents.indexes, "lock": len(contents.locks)}
        left = ", ".join(number(count, kind, "indexes" if kind == "index" else "") for kind, count in kinds.items())
        return Verdict.UNREADABLE, f"its config is gone; {left} are left{', and data' if contents.packs else ''}"
    if contents.others:
        return Verdict.MISSING, f"no repository among what is there: {', '.join(contents.others[:5])}"
    return Verdict.MISSING, contents.detail or "no repository: of restic's folders there are some, and nothing is in them"


def by_words(said: Saying) -> tuple[Verdict, str]:
    """What follows from restic's own words where it could not do what was asked."""
    if said is Saying.NO_KEY_FITS:
        return Verdict.REFUSED, "the password opens none of its keys"
    if said is Saying.REFUSED:
        return Verdict.REFUSED, "the store refused to let it be read"
    if said is Saying.UNREACHABLE:
        return Verdict.UNREACHABLE, "the store stopped answering"
    return Verdict.UNREADABLE, said.value


def remarks_on(contents: Contents, unread: int, stale: int, incomplete: int) -> str:
    """What a person should know although the repository opened."""
    told = []
    if unread:
        told.append(f"{unread} snapshot files cannot be read")
    if incomplete:
        told.append(f"{incomplete} snapshots are far smaller than those before them")
    if stale:
        told.append(f"{stale} stale locks")
    if contents.keys > 1:
        told.append(f"{contents.keys} keys")
    return ", ".join(told)
