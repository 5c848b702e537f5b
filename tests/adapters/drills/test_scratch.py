"""What is left of drills: what is ours, and what of it a storage still holds; nobody else's."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.drills.adapter import KubernetesDrills
from adapters.drills.fence import DRILL, LABELS, SCRATCH
from adapters.drills.store import CANARY
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import Kind
from adapters.volsync.contents import Reader
from engine.errors import PermanentError
from lab.world.clock import VirtualClock


class Api:
    """Namespaces (ours or not), and the volumes of claims in them."""

    def __init__(self, *, ours: tuple[str, ...] = (), others: tuple[str, ...] = (), volumes: tuple[str, ...] = ()) -> None:
        self.spaces = {name: LABELS if name in ours else {"app": "other"} for name in (*ours, *others)}
        self.volumes = volumes

    def main(self) -> Api:
        return self

    def get(self, kind: Kind, name: str, namespace: str = "") -> Any:
        labels = self.spaces.get(name) if kind.name == "Namespace" else None
        return None if labels is None else {"metadata": {"name": name, "labels": labels, "annotations": {DRILL: "run-1"}}}

    def list_objects(self, kind: Kind, namespace: str = "") -> Any:
        if kind.name != "PersistentVolume":
            return []
        return [{"metadata": {"name": f"pv-of-{one}"}, "spec": {"claimRef": {"namespace": one}}} for one in self.volumes]


def left(api: Api) -> tuple[str, ...]:
    drills = KubernetesDrills(cast("Clients", api), "id", VirtualClock(), cast("Reader", None))
    found = drills.scratch()
    return found.left if found is not None else ()


def test_what_is_ours_is_left_with_what_its_storage_holds() -> None:
    assert left(Api()) == ()
    assert left(Api(ours=(SCRATCH, CANARY), volumes=(SCRATCH, "apps"))) == (
        f"namespace {SCRATCH}", f"namespace {CANARY}", f"volume pv-of-{SCRATCH}",
    )  # fmt: skip
    assert left(Api(volumes=(SCRATCH, CANARY))) == (f"volume pv-of-{SCRATCH}", f"volume pv-of-{CANARY}")


def test_volumes_of_somebody_elses_namespace_are_not_left_of_a_drill() -> None:
    """No clearing would ever end that waits for them."""
    assert left(Api(others=(CANARY,), volumes=(CANARY,))) == ()
    assert left(Api(ours=(SCRATCH,), others=(CANARY,), volumes=(CANARY,))) == (f"namespace {SCRATCH}",)


def test_a_scratch_namespace_that_is_not_ours_is_refused_by_its_name() -> None:
    with pytest.raises(PermanentError, match="not ours"):
        left(Api(others=(SCRATCH,)))
