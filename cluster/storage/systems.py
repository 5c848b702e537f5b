"""Every storage system of a house by itself: its rows, and which claims and backups hang on it. Draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from adapters.context import LookContext
from cluster.storage.at_once import asked_at_once
from cluster.storage.findings import Finding, Weight, by_weight, worst
from cluster.storage.kinds import ground_under, storage_checks
from cluster.storage.nas.check import nas_checks
from cluster.storage.nas.uses import waiting
from cluster.storage.row import StorageRow, System, asked
from cluster.storage.under import classes_of
from engine.errors import PermanentError, TransientError
from engine.workers import Workers, each
from house.data.nouns import Space
from house.model import House


@dataclass(frozen=True)
class Hanging:
    """What hangs on one system: claims whose volumes it makes and claims whose backups lie on it, each as `namespace/name`."""

    claims: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemSeen:
    """One system as one look found it. `findings`: each once, the heaviest first; none where nothing of it is looked at.

    `since` is the earliest second (epoch) that a finding of the greatest weight gives, None where none does.
    """

    name: str
    findings: tuple[Finding, ...]
    hanging: Hanging

    @property
    def weight(self) -> Weight:
        """What decides."""
        return worst(self.findings)

    @property
    def since(self) -> float | None:
        """Since when it is so."""
        return min((one.since for one in self.findings if one.weight is self.weight and one.since is not None), default=None)


@dataclass(frozen=True)
class StorageSeen:
    """All systems; `elsewhere` maps the maker of volumes that nobody here knows how to ask to the claims on it. `unplaced`: why
    nobody knows which claim is on what, "" where that is known."""

    systems: tuple[SystemSeen, ...]
    elsewhere: Mapping[str, tuple[str, ...]]
    unplaced: str = ""

    @property
    def weight(self) -> Weight:
        """BLOCKS where any system is known to be sick, else UNKNOWN where of one, or of what a claim is on, nobody knows."""
        found = [one.weight for one in self.systems]
        if Weight.BLOCKS in found:
            return Weight.BLOCKS
        return Weight.UNKNOWN if Weight.UNKNOWN in found or self.unplaced or self.elsewhere else Weight.FINE


def look_at_storage(look: LookContext, house: House, workers: Workers) -> StorageSeen:
    """Ask everything at once; what gives no answer, or may not be asked, is a finding."""
    look = asked_at_once(look, house, workers)
    rows: list[StorageRow] = [*storage_checks(look, house), *nas_checks(house)]
    answers = each(workers, partial(asked, look), rows, at_once=max(1, len(rows)))
    found: dict[System, list[Finding]] = {}
    for row, answer in zip(rows, answers, strict=True):
        found.setdefault(row.system, []).extend(answer)
    hanging, elsewhere, unplaced = _hanging(look, house)
    systems = [SystemSeen(one.title, _distinct(of_it), hanging.get(one.key, Hanging())) for one, of_it in found.items()]
    return StorageSeen(tuple(systems), elsewhere, unplaced)


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(by_weight(dict.fromkeys(findings)))


def _hanging(look: LookContext, house: House) -> tuple[dict[str, Hanging], dict[str, tuple[str, ...]], str]:
    """System → what hangs on it, maker → claims that are on nothing of that, and why that is not known."""
    found = {f"nas/{nas.name}": Hanging(backups=waiting(nas, house.claims)) for nas in house.nas}
    keys = {claim.key for claim in house.claims} | {one.key for one in house.data.holders if one.space is Space.CLAIM}
    try:
        keys |= {one.key for one in look.cluster.claims() if not one.passing}
        classes = classes_of(look, house, sorted(keys))
        under = ground_under(look, house, set(classes.values()))
    except (TransientError, PermanentError) as error:
        return found, {}, error.what if keys else ""
    on: dict[str, list[str]] = {}
    elsewhere: dict[str, list[str]] = {}
    for key, made in classes.items():
        ground = under.get(made)
        for name in dict.fromkeys(row.system.key for row in ground.rows) if ground is not None else ():
            on.setdefault(name, []).append(key)
        if ground is None:
            elsewhere.setdefault(f"{made.name} ({made.provisioner})", []).append(key)
    found |= {name: Hanging(tuple(claims), found.get(name, Hanging()).backups) for name, claims in on.items()}
    return found, {name: tuple(claims) for name, claims in elsewhere.items()}, ""
