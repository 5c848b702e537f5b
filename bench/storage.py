"""What asking every storage of a house takes, against the slowest of them alone: `python -m bench.storage`.

Time is the modelled house's: each system answers after a delay of its own, and what is counted is how long all of it took. Of a
whole verify and a whole plan of the four-node house it is this machine's own work (CPU seconds): the lab's doors answer at once.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.context import LookContext
from bench.table import Table
from cluster.storage.systems import look_at_storage
from engine.waiting import Clock
from lab.world.cluster.ceph import LabCeph
from lab.world.cluster.longhorn import healthy
from lab.world.cluster.rook import LabRook
from tests.coverage.desk import WholeDesk
from tests.scenario.faults.test_nas import a_nas_house, plugged
from tests.scenario.running import Running

DELAYS: Mapping[tuple[str, str], float] = {
    ("proxmox", "ceph"): 3.0, ("cluster", "ceph_clusters"): 1.5, ("cluster", "longhorn"): 2.0, ("nas", "look"): 4.0,
    ("cluster", "storage_classes"): 0.5, ("cluster", "claims"): 0.7, ("trials", "look"): 0.6,
}  # fmt: skip
MOST = 1.1
VERIFY_S, PLAN_S = 10.0, 5.0


class Slow:
    """A view whose looks take the seconds of DELAYS."""

    def __init__(self, name: str, door: object, clock: Clock) -> None:
        self._name, self._door, self._clock = name, door, clock

    def __getattr__(self, method: str) -> Any:
        real, delay = getattr(self._door, method), DELAYS.get((self._name, method), 0.0)

        def look(*given: object, **named: object) -> object:
            self._clock.sleep(delay)
            return real(*given, **named)

        return look


def slow(look: LookContext, clock: Clock) -> LookContext:
    """The views of the house with these delays."""
    ports: dict[str, Any] = {name: Slow(name, getattr(look, name), clock) for name in ("proxmox", "cluster", "nas", "trials")}
    return replace(look, **ports)


def a_house(folder: Path) -> Running:
    """A bootstrapped one with a Ceph on its hosts, one of Rook's, a Longhorn and a NAS."""
    house = Running(folder / "state", a_nas_house())
    plugged(house)
    house.backed_up()
    house.apply(house.bootstrap)
    house.home.proxmox.ceph = LabCeph.on(house.home.proxmox.hosts)
    house.home.kube.objects().rook.append(LabRook.healthy(house.clock.now()))
    house.home.kube.objects().longhorn = healthy()
    return house


def ratio(folder: Path) -> tuple[float, float]:
    """Seconds that all of it took, and those of the slowest."""
    house = a_house(folder)
    began = house.clock.monotonic()
    seen = look_at_storage(slow(house.home.look(), house.clock), house.house, house.clock.workers())
    assert len(seen.systems) == 4
    return house.clock.monotonic() - began, max(DELAYS.values())


def work(folder: Path) -> tuple[float, float]:
    """CPU seconds of `cluster.verify` of the whole four-node house, and of the plan of its bootstrap, when all is in order."""
    desk = WholeDesk(folder)
    began = time.process_time()
    assert desk.verified()["counts"]["failed"] == 0
    verified = time.process_time()
    assert desk.running.plan(desk.running.bootstrap).changes == ()
    return verified - began, time.process_time() - verified


def main() -> int:
    """Measure, tell, and answer the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        took, slowest = ratio(Path(folder) / "stored")
        verify, plan = work(Path(folder) / "whole")
    table = Table("storage")
    table.add("all systems at once", took, "s", note="on the modelled house's clock")
    table.add("the slowest alone", slowest, "s")
    table.add("at once against the slowest", took / slowest, "x", goal=MOST)
    table.add("cluster.verify of the whole house", verify, "s", goal=VERIFY_S, note="CPU, modelled")
    table.add("cluster.plan after its bootstrap", plan, "s", goal=PLAN_S, note="CPU, modelled")
    return table.tell()


if __name__ == "__main__":
    sys.exit(main())
