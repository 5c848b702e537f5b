"""Facts made by hand for a judge: objects of the API as dictionaries, at a time of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from adapters.components.reading import seen_of
from adapters.components.results import Ask, Seen
from adapters.context import LookContext
from adapters.hold.results import HeldClaim, HoldState
from cluster.components.shape import Facts, Judge
from cluster.storage.findings import Weight
from house.kinds import DeclaredKind, DeclaredKinds, Kind
from lab.world.components import Object, stamp
from tests.builders import a_house

NOW = 1_800_000_000.0
DAY = 86400.0


@dataclass
class Told:
    """What a cluster says: these objects, these claims held, so many objects declared by kind."""

    objects: list[Object] = field(default_factory=list)
    held: tuple[str, ...] = ()
    declared: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, ask: Ask) -> tuple[Seen, ...]:
        found = [one for one in self.objects if one["kind"] == ask.kind and one["apiVersion"].startswith(f"{ask.group}/")]
        return tuple(seen_of(ask, one) for one in found)

    @property
    def facts(self) -> Facts:
        claims = tuple(HeldClaim("apps", name, HoldState.HELD, "", "", since=0.0) for name in self.held)
        look: Any = SimpleNamespace(
            components=SimpleNamespace(objects=self.of), clock=SimpleNamespace(now=lambda: NOW),
            hold=SimpleNamespace(record=lambda: SimpleNamespace(claims=claims)),
        )  # fmt: skip
        kinds = tuple(DeclaredKind(Kind(f"{g}/v1", k), n, "", "") for (g, k), n in self.declared.items())
        return Facts(cast("LookContext", look), a_house(kinds=DeclaredKinds(kinds)))

    def judged(self, judge: Judge) -> dict[str, tuple[Weight, str]]:
        """Every finding by its part."""
        return {one.part: (one.weight, one.detail) for one in judge(self.facts)}


def ago(seconds: float) -> str:
    """A moment so long before now."""
    return stamp(NOW - seconds)
