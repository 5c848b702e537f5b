"""Which pods may own a lock: by name, of any namespace, and none that has ended."""

from __future__ import annotations

from typing import Any, cast

from adapters.backups.opening import Openings
from adapters.kubernetes.client import Clients
from adapters.kubernetes.results import SeenPod
from adapters.locks.adapter import ResticLocks
from lab.world.clock import VirtualClock


class Listed:
    """Pods as an API would list them; asked for nothing it must not be asked."""

    def __init__(self, pods: list[dict[str, Any]]) -> None:
        self.pods, self.asked = pods, 0

    def main(self) -> Listed:
        return self

    def list_objects(self, _kind: object) -> list[dict[str, Any]]:
        self.asked += 1
        return self.pods


def a_pod(namespace: str, name: str, phase: str, node: str = "") -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"nodeName": node}, "status": {"phase": phase}}


def test_a_pod_that_has_ended_owns_nothing_and_one_of_another_namespace_may() -> None:
    listed = Listed([a_pod("b", "mover", "Running", "w-1"), a_pod("a", "mover", "Pending"), a_pod("c", "mover", "Failed"),
                     a_pod("a", "other", "Running")])  # fmt: skip
    locks = ResticLocks(cast("Openings", None), cast("Clients", listed), VirtualClock())
    assert locks.pods({"mover"}) == (SeenPod("a", "mover"), SeenPod("b", "mover", "w-1"))
    assert locks.pods(()) == () and listed.asked == 1
