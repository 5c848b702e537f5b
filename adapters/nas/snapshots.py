"""How old a dataset's newest snapshot is, without a walk over all snapshots of the NAS. Knows no judgement.

Up to 25.10 only a query for names, by dataset, is quick (a NAS may have 100,000 snapshots): the newest is told from the names, and
that one alone is asked when it was made. 26 asks one dataset with its times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from adapters.nas.fields import mapping, moment, name, parsed, rows
from adapters.nas.results import Heard, Snapshots, Unheard
from adapters.nas.session import Asking, Call
from adapters.nas.versions import Release
from adapters.nas.wording import RpcError

_DATED = re.compile(r"(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_.T ]?[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d)?)?")


async def newest(session: Asking, release: Release, datasets: Sequence[str]) -> Heard[Snapshots]:
    """One Snapshots per dataset, in their order."""
    if not datasets:
        return ()
    if release >= (26, 0):
        return await _with_times(session, datasets)
    return await _by_name(session, release, datasets)


async def _with_times(session: Asking, datasets: Sequence[str]) -> Heard[Snapshots]:
    method = "zfs.resource.snapshot.query"
    answers = await session.ask([Call(method, ({"paths": [one], "properties": ["creation"]},)) for one in datasets])
    found = []
    for dataset, answer in zip(datasets, answers, strict=True):
        if isinstance(answer, RpcError):
            return answer.unheard(method)
        made = [
            (at, name(row.get("name"))) for row in rows(answer)
            if row.get("dataset", dataset) == dataset and (at := _value(row)) is not None
        ]  # fmt: skip
        if not isinstance(answer, list) or (answer and not made):
            return Unheard(f"{method}: no snapshot of {dataset} says when it was made")
        at, last = max(made, default=(None, ""))
        found.append(Snapshots(dataset, last, at, len(made)))
    return tuple(found)


def _value(row: dict[str, Any]) -> float | None:
    """When a snapshot was made, in the form of 26."""
    return moment(mapping(mapping(row.get("properties")).get("creation")).get("value"))


async def _by_name(session: Asking, release: Release, datasets: Sequence[str]) -> Heard[Snapshots]:
    method = "pool.snapshot.query" if release >= (25, 10) else "zfs.snapshot.query"
    answers = await session.ask([Call(method, ([["dataset", "=", one]], {"select": ["name"]})) for one in datasets])
    found, asked = dict[str, Snapshots](), list[str]()
    for dataset, answer in zip(datasets, answers, strict=True):
        if isinstance(answer, RpcError):
            return answer.unheard(method)
        if not isinstance(answer, list):
            return Unheard(f"{method}: the answer is no list")
        names = [one for row in rows(answer) if (one := name(row.get("name")))]
        last = max(names, key=_dated, default="") if any(map(_dated, names)) else (names or [""])[-1]
        found[dataset] = Snapshots(dataset, last, None, len(names))
        asked += [last] if last else []
    whole = await session.ask([Call(method, ([["id", "=", one]], {"extra": {"properties": ["creation"]}})) for one in asked])
    for snapshot, answer in zip(asked, whole, strict=True):
        row = next(iter(rows(answer)), {})
        at = moment(parsed(mapping(row.get("properties")).get("creation")))
        dataset = snapshot.partition("@")[0]
        if dataset in found:
            found[dataset] = Snapshots(dataset, snapshot, at, found[dataset].count)
    return tuple(found.values())


def _dated(snapshot: str) -> str:
    """The digits of the date in a snapshot's name, as long as an ISO time has them; "" for none."""
    found = _DATED.search(snapshot.partition("@")[2])
    return re.sub(r"\D", "", found[0]).ljust(14, "0") if found else ""
