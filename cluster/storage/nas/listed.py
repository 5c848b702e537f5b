"""What an export that is on shows to this machine, as a finding. Pure.

A NAS's word for an export is what it was told to hand out; what is there when somebody comes is another thing. A folder without
anything in it says nothing where its dataset holds data: then the dataset is not what lies there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.nas.results import Dataset, Listed
from cluster.storage.findings import Finding, Weight, fine
from engine.text.words import number

BARE = 1 << 20
"""Bytes that a dataset takes without anything in it, and some more."""
_AGAIN = "its server may not have taken it up: stop and start that service under System > Services"


def as_listed(part: str, path: str, dataset: Dataset, listed: Sequence[Listed]) -> Finding:
    """Of an export that is on by the NAS's word, its dataset unlocked and mounted by that too."""
    gone = [one for one in listed if one.shown is False]
    if gone:
        told = f"is on by the NAS's word, and {_ways(gone)} from here finds none"
        return Finding(part, Weight.BLOCKS, f"{told}{_why(gone)}", "NOT_SHOWN", hint=_AGAIN)
    seen = [one for one in listed if one.shown]
    bare = [one for one in seen if one.entries == 0]
    if bare:
        return _empty(part, path, dataset, bare)
    if not seen:
        return fine(part, f"is on, by the NAS's word: not listed from here{_why(listed)}")
    most = max((one.entries for one in seen if one.entries is not None), default=None)
    inside = "" if most is None else f", {number(most, 'name')} in it"
    return fine(part, f"is on, and {_ways(seen)} from here finds it{inside}")


def _empty(part: str, path: str, dataset: Dataset, bare: Sequence[Listed]) -> Finding:
    told = f"is on, and {_ways(bare)} from here finds nothing in it"
    if path.rstrip("/") != dataset.mountpoint.rstrip("/") or (dataset.used is not None and dataset.used <= BARE):
        return Finding(part, Weight.NOTED, f"{told}: it is empty")
    holds = "may hold data" if dataset.used is None else f"holds {dataset.used / 2**30:.1f} GiB"
    told = f"{told}, while dataset {dataset.name} {holds}: what it shows says nothing"
    return Finding(part, Weight.UNKNOWN, told, "SHOWS_NOTHING", hint=f"is it mounted? zfs get mounted {dataset.name}, on the NAS")


def _ways(listed: Iterable[Listed]) -> str:
    return " and ".join(dict.fromkeys(one.way for one in listed))


def _why(listed: Iterable[Listed]) -> str:
    why = "; ".join(dict.fromkeys(f"{one.way}: {one.why}" for one in listed if one.why))
    return f" ({why})" if why else ""
