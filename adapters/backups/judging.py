"""Which verdict follows from a listing, and which from what restic said. Asks nothing and nobody."""

from __future__ import annotations

import re

from adapters.backups.results import Verdict
from adapters.backups.sayings import Saying
from adapters.backups.stores.places import Contents
from engine.text.words import number

_NAMED = 3
_ID = re.compile(r"([0-9a-fA-F]{8})[0-9a-fA-F]{56}")


def by_listing(contents: Contents) -> tuple[Verdict, str] | None:
    """The verdict that the listing alone allows, None when restic must be asked."""
    if contents.foreign_engine:
        return Verdict.FOREIGN, f"a repository of {contents.foreign_engine}"
    # While one key opens, restic passes over the others.
    odd = tuple(name for name in contents.no_files if not (contents.keys and name.startswith("keys/")))
    if odd:
        more = f", and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
        told = ", ".join(odd[:_NAMED])
        return Verdict.UNREADABLE, f"where files belong there are none, and restic waits for them in vain: {told}{more}"
    if contents.config_size is not None:
        if contents.config_size == 0:
            return Verdict.UNREADABLE, "its config has no bytes"
        if not contents.keys:
            return Verdict.UNREADABLE, _beside("it has a config, but no key is left", contents, "keys")
        if contents.hollow:
            return Verdict.UNREADABLE, f"{len(contents.hollow)} of its {contents.indexes} indexes without bytes"
        if contents.snapshots_written and not contents.indexes:
            listed = number(contents.snapshots, "snapshot is", "snapshots are")
            told = f"{listed} listed, and no index is left to find their data by"
            return Verdict.UNREADABLE, _beside(told, contents, "index")
        return None
    if contents.keys or contents.snapshots or contents.indexes or contents.packs or contents.locks:
        kinds = {"key": contents.keys, "snapshot": contents.snapshots, "index": contents.indexes, "lock": len(contents.locks)}
        left = ", ".join(number(count, kind, "indexes" if kind == "index" else "") for kind, count in kinds.items())
        return Verdict.UNREADABLE, f"its config is gone; {left} are left{', and data' if contents.packs else ''}"
    if contents.others:
        return Verdict.MISSING, f"no repository among what is there: {', '.join(contents.others[:5])}"
    told = "no repository: of restic's folders there are some, and nothing of it is in them"
    return Verdict.MISSING, contents.detail or _beside(told, contents)


def by_words(said: Saying) -> tuple[Verdict, str]:
    """What follows from restic's own words where it could not do what was asked."""
    if said is Saying.NO_KEY_FITS:
        return Verdict.REFUSED, "the password opens none of its keys"
    if said is Saying.REFUSED:
        return Verdict.REFUSED, "the store refused to let it be read"
    if said is Saying.UNREACHABLE:
        return Verdict.UNREACHABLE, "the store stopped answering"
    if said is Saying.ENDED:
        return Verdict.UNKNOWN, said.value
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
    told += [name for name in contents.no_files if name.startswith("keys/")][:_NAMED]
    if contents.strays:
        told.append(_strays(contents.strays))
    return ", ".join(told)


def _beside(told: str, contents: Contents, folder: str = "") -> str:
    """With what lies there under another name than restic's: it may be what is missed."""
    strays = tuple(name for name in contents.strays if name.startswith(folder))
    return f"{told}; {_strays(strays)}" if strays else told


def _strays(names: tuple[str, ...]) -> str:
    """`2 files that restic passes over: index/.DS_Store, keys/ab12cd34….bak`."""
    shown = ", ".join(_ID.sub(r"\1…", name) for name in names[:_NAMED])
    return f"{number(len(names), 'file')} that restic passes over: {shown}{' …' if len(names) > _NAMED else ''}"
