"""The verdict on one Ceph: its findings, by what of it they speak of. Knows not where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster.storage.findings import Finding, Weight, by_weight
from engine.text.words import number

FILESYSTEMS = "cephfs"
_SHOWN = 40


@dataclass(frozen=True)
class CephVerdict:
    """Findings that concern everybody, those of its filesystems alone, and those of single pools (pool, finding).

    `pool_names` are all that there are, None where nobody told of them.
    """

    whole: tuple[Finding, ...]
    filesystems: tuple[Finding, ...] = ()
    pools: tuple[tuple[str, Finding], ...] = ()
    pool_names: frozenset[str] | None = None

    @property
    def all(self) -> tuple[Finding, ...]:
        """Every finding."""
        return (*self.whole, *self.filesystems, *(one for _, one in self.pools))

    def of_pool(self, pool: str) -> tuple[Finding, ...]:
        """What was found of this pool alone."""
        return tuple(one for name, one in self.pools if name == pool)


def shown(findings: Iterable[Finding]) -> Sequence[Finding]:
    """The heaviest of them, so many as a person reads, and how many more there are."""
    ordered = by_weight(findings)
    if len(ordered) <= _SHOWN:
        return ordered
    more = f"{number(len(ordered) - _SHOWN, 'more finding')} of no more weight"
    return [*ordered[:_SHOWN], Finding("health", Weight.NOTED, more)]
