"""The memory of one pass: side by side or in turn, each look is made once, and nothing that goes on stands still in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.context import LookContext
from adapters.remembering import REMEMBERED, remembering
from adapters.surface import surfaces
from engine.errors import Interrupted, TransientError
from engine.plan import plan
from engine.workers import each
from tests.scenario.running import Running


class Asked:
    """A view that counts what it is asked, and does `first` before it answers."""

    def __init__(self, door: object, first: Callable[[], object] = lambda: None) -> None:
        self.counts: Counter[str] = Counter()
        self._door, self._first = door, first

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._door, method)

        def look(*given: object, **named: object) -> object:
            self.counts[method] += 1
            self._first()
            return real(*given, **named)

        return look


def asked_of(house: Running, port: str, first: Callable[[], object] = lambda: None) -> tuple[LookContext, Asked]:
    """The views of the house, and the one that counts in them."""
    look = house.home.look()
    asked = Asked(getattr(look, port), first)
    views: dict[str, Any] = {port: asked}
    return replace(look, **views), asked


@pytest.fixture
def house(tmp_path: Path) -> Running:
    return Running.bootstrapped(tmp_path)


def test_what_is_remembered_are_looks_of_ports() -> None:
    known = surfaces()
    assert {port: sorted(methods - known[port].looks) for port, methods in REMEMBERED.items()} == {port: [] for port in REMEMBERED}


def test_who_asks_at_the_same_time_gets_the_same_answer(house: Running) -> None:
    look, asked = asked_of(house, "proxmox", lambda: house.clock.sleep(2.0))
    workers = house.clock.workers()
    seen = remembering(look, workers)
    began = house.clock.monotonic()
    found = each(workers, lambda _: seen.proxmox.vms(), range(5), at_once=5)
    assert (asked.counts["vms"], house.clock.monotonic() - began) == (1, 2.0)
    assert all(one is found[0] for one in found) and found[0]
    each(workers, seen.proxmox.storages, ("pve-1", "pve-2", "pve-1"), at_once=3)
    assert asked.counts["storages"] == 2, "other hosts are other questions"


def test_a_refusal_is_the_answer_of_all_who_waited_for_it(house: Running) -> None:
    def silent() -> None:
        house.clock.sleep(2.0)
        raise TransientError("nobody answers")

    look, asked = asked_of(house, "proxmox", silent)
    workers = house.clock.workers()
    seen = remembering(look, workers)

    def told(_: int) -> str:
        with pytest.raises(TransientError) as refused:
            seen.proxmox.vms()
        return refused.value.what

    assert each(workers, told, range(3), at_once=3) == ["nobody answers"] * 3
    assert asked.counts["vms"] == 1


def test_a_stop_is_no_answer_and_leaves_nobody_waiting(house: Running) -> None:
    stops = [Interrupted("stopped")]

    def once() -> None:
        house.clock.sleep(2.0)
        if stops:
            raise stops.pop()

    look, asked = asked_of(house, "proxmox", once)
    workers = house.clock.workers()
    seen = remembering(look, workers)

    def found(_: int) -> bool:
        try:
            return bool(seen.proxmox.vms())
        except Interrupted:
            return False

    assert sorted(each(workers, found, range(3), at_once=3)) == [False, True, True]
    assert asked.counts["vms"] == 2


def test_the_clock_of_a_host_goes_on(house: Running) -> None:
    look, asked = asked_of(house, "proxmox")
    seen = remembering(look)
    before = {host.name: host.clock for host in seen.proxmox.hosts()}
    house.clock.sleep(90.0)
    assert {host.name: round(host.clock - before[host.name]) for host in seen.proxmox.hosts()} == dict.fromkeys(before, 90)
    assert asked.counts["hosts"] == 1


def test_the_clock_of_a_node_goes_on(house: Running) -> None:
    look, asked = asked_of(house, "talos")
    seen, first = remembering(look), house.house.nodes[0].address
    before = seen.talos.clock(first)
    house.clock.sleep(90.0)
    assert (round(seen.talos.clock(first) - before), asked.counts["clock"]) == (90, 1)
    assert seen.talos.clock(house.house.nodes[1].address) and asked.counts["clock"] == 2


def test_who_asks_for_several_nodes_and_who_for_one_of_them_ask_each_once_and_side_by_side(house: Running) -> None:
    look, asked = asked_of(house, "talos", lambda: house.clock.sleep(2.0))
    workers = house.clock.workers()
    seen, planes = remembering(look, workers), tuple(node.address for node in house.house.control_planes)
    all_of, one = look.talos.phases(planes), look.talos.etcd(planes[0])
    asked.counts.clear()
    began = house.clock.monotonic()
    assert (seen.talos.phases(planes), seen.talos.phase(planes[0])) == (all_of, all_of[0])
    assert seen.talos.phases(planes[:1]) == all_of[:1]
    assert (seen.talos.etcd(planes[0]), seen.talos.etcds(planes)[0]) == (one, one)
    assert house.clock.monotonic() - began == 6.0, "the phases together, an etcd, the others' together"
    assert asked.counts == {"phase": len(planes), "etcd": 1, "etcds": 1}
    assert seen.talos.phases(()) == ()


def test_a_plan_with_a_memory_is_the_plan_without_and_asks_each_once(house: Running) -> None:
    graph = house.bootstrap.graph()
    for port in ("proxmox", "releases", "hold", "flux"):
        bare, each_time = asked_of(house, port)
        assert plan(graph, bare) == house.plan(house.bootstrap)
        look, asked = asked_of(house, port)
        assert plan(graph, remembering(look)) == house.plan(house.bootstrap)
        shared = {name for name in asked.counts if name in REMEMBERED[port] and name not in ("storages", "images", "left_disks")}
        assert shared and max(asked.counts[name] for name in shared) == 1
        assert max(each_time.counts[name] for name in shared) > 1, "nothing is shared here"
