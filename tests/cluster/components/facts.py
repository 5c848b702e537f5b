"""Facts made by hand for a judge: objects of the API as dictionaries, at a time of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from adapters.components.reading import seen_of
from adapters.components.results import Ask, Seen
from adapters.context import LookContext
from adapters.flux.results import KustomizationState
from adapters.hold.results import HeldClaim, HoldRecord, HoldState
from adapters.volsync.results import ClaimPhase
from cluster.components.shape import Facts, Judge
from cluster.storage.findings import Weight
from house.flux.rendered import Rendered, RenderedObject
from lab.world.cluster.components import Object, stamp
from tests.builders import a_claim, a_house

NOW = 1_800_000_000.0
DAY = 86400.0


@dataclass
class Told:
    """What a cluster says: these objects, these claims of `apps` held, these Kustomizations there; and what Git declares."""

    objects: list[Object] = field(default_factory=list)
    held: tuple[str, ...] = ()
    declared: tuple[RenderedObject, ...] = ()
    kustomizations: tuple[KustomizationState, ...] = ()

    def of(self, ask: Ask) -> tuple[Seen, ...]:
        found = [one for one in self.objects if one["kind"] == ask.kind and one["apiVersion"].startswith(f"{ask.group}/")]
        return tuple(seen_of(ask, one) for one in found)

    @property
    def facts(self) -> Facts:
        claims = tuple(HeldClaim("apps", name, HoldState.HELD, "", "", since=0.0) for name in self.held)
        look: Any = SimpleNamespace(
            components=SimpleNamespace(objects=self.of), clock=SimpleNamespace(now=lambda: NOW),
            hold=SimpleNamespace(record=lambda: HoldRecord(present=True, claims=tuple(claims))),
            flux=SimpleNamespace(state=lambda: SimpleNamespace(kustomizations=self.kustomizations)),
            claims=SimpleNamespace(claim=lambda *_: SimpleNamespace(phase=ClaimPhase.PENDING)),
        )  # fmt: skip
        owned = tuple(a_claim(name, flux_app=f"apps/{name}") for name in self.held)
        return Facts(cast("LookContext", look), a_house(claims=owned, rendered=Rendered(self.declared)))

    def judged(self, judge: Judge) -> dict[str, tuple[Weight, str]]:
        """Every finding by its part."""
        return {one.part: (one.weight, one.detail) for one in judge(self.facts)}


def declares(api: str, kind: str, key: str, kustomization: str = "apps/living") -> RenderedObject:
    """One object of Git."""
    namespace, _, name = key.rpartition("/")
    return RenderedObject(api, kind, namespace, name, {}, kustomization, "all.yaml", 1)


def a_kustomization(name: str, *, suspended: bool = False, depends_on: tuple[str, ...] = ()) -> KustomizationState:
    """One of `apps` that is there, and waits."""
    return KustomizationState("apps", name, False, suspended, False, "c1", "DependencyNotReady", "", depends_on)


def ago(seconds: float) -> str:
    """A moment so long before now."""
    return stamp(NOW - seconds)
