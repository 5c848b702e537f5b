"""Every mutation of every port has a name, a target and a lie; each fault does what its name says; the dead reach nothing."""

from __future__ import annotations

import inspect
from typing import Protocol, get_origin, get_type_hints

import pytest

from adapters.kubernetes.results import LeaseHolder
from adapters.proxmox.results import TaskRef, TaskStatus
from adapters.surface import Surface, surface, surfaces
from engine.errors import TransientError
from lab.ports.faulty import DURING_S, SLOW_S, TARGETS, FaultyPort, faulty_port
from lab.world.clock import VirtualClock
from lab.world.faults import Death, Fault
from lab.world.world import World


class BellView(Protocol):
    def rings(self) -> int: ...
    def task(self, ref: TaskRef) -> TaskStatus: ...


class Bell(BellView, Protocol):
    def ring(self, name: str) -> None: ...
    def melt(self, host: str, name: str) -> TaskRef: ...
    def lend(self, holder: str, seconds: int) -> LeaseHolder: ...
    def strange(self) -> list[str]: ...


class ABell:
    def __init__(self) -> None:
        self.done: list[str] = []

    def rings(self) -> int:
        return len(self.done)

    def task(self, ref: TaskRef) -> TaskStatus:
        raise KeyError(ref)

    def ring(self, name: str) -> None:
        self.done.append(name)

    def melt(self, host: str, name: str) -> TaskRef:
        self.done.append(f"melt {name}")
        return TaskRef("UPID:real", host)

    def lend(self, holder: str, seconds: int) -> LeaseHolder:
        self.done.append("lend")
        return LeaseHolder(holder, "1")

    def strange(self) -> list[str]:
        return []


BELL = surface("bell", Bell, BellView)
BELL_TARGETS = {"ring": ("name",), "melt": ("host", "name"), "lend": (), "strange": ()}


class Tower:
    """A bell behind its faults."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.world = World(self.clock)
        self.bell = ABell()
        self.port = faulty_port(self.bell, BELL, BELL_TARGETS, self.world, self.clock)


@pytest.fixture
def tower() -> Tower:
    return Tower()


def test_mutations_are_named_counted_and_looks_are_not(tower: Tower) -> None:
    tower.port.ring("great")
    tower.port.ring(name="great")
    tower.port.melt("pve-1", "small")
    assert tower.port.rings() == 3
    assert tower.world.faults.reached == ["bell.ring/great#1", "bell.ring/great#2", "bell.melt/pve-1/small#1"]


def test_die_before(tower: Tower) -> None:
    tower.world.faults.arm("bell.ring/*", Fault.DIE_BEFORE)
    with pytest.raises(Death):
        tower.port.ring("a")
    assert tower.bell.done == [] and tower.clock.fence.fallen


def test_die_during_kills_a_second_after_the_act_began(tower: Tower) -> None:
    tower.clock.drives(tower.world)
    tower.world.faults.arm("bell.ring/*", Fault.DIE_DURING)
    start = tower.clock.monotonic()
    with pytest.raises(Death):
        tower.port.ring("a")
    assert tower.clock.monotonic() - start == DURING_S and tower.clock.fence.fallen and tower.bell.done == ["a"]


def test_die_after_and_the_dead_reach_nothing(tower: Tower) -> None:
    tower.world.faults.arm("bell.ring/*", Fault.DIE_AFTER)
    with pytest.raises(Death):
        tower.port.ring("a")
    assert tower.bell.done == ["a"]
    for reach in (lambda: tower.port.ring("b"), tower.port.rings):
        with pytest.raises(Death):
            reach()
    assert tower.bell.done == ["a"]


def test_lose_reply(tower: Tower) -> None:
    tower.world.faults.arm("bell.ring/a#1", Fault.LOSE_REPLY)
    with pytest.raises(TransientError):
        tower.port.ring("a")
    assert tower.bell.done == ["a"]


def test_slow(tower: Tower) -> None:
    tower.world.faults.arm("bell.melt/*", Fault.SLOW)
    start = tower.clock.monotonic()
    assert tower.port.melt("pve-1", "a") == TaskRef("UPID:real", "pve-1")
    assert tower.clock.monotonic() - start == SLOW_S and tower.bell.done == ["melt a"]


def test_error_twice(tower: Tower) -> None:
    tower.world.faults.arm("bell.ring/a#1", Fault.ERROR_TWICE)
    for _ in range(2):
        with pytest.raises(TransientError):
            tower.port.ring("a")
    tower.port.ring("a")
    assert tower.bell.done == ["a"]


def test_lie_once_answers_what_one_would_believe(tower: Tower) -> None:
    tower.world.faults.arm("bell.ring/*", Fault.LIE_ONCE)
    tower.world.faults.arm("bell.melt/*", Fault.LIE_ONCE)
    tower.world.faults.arm("bell.lend/*", Fault.LIE_ONCE)
    tower.port.ring("a")
    ref = tower.port.melt("pve-1", "a")
    lease = tower.port.lend("me", 30)
    assert tower.bell.done == [] and lease == LeaseHolder("me", "a renewal that never was")
    assert ref.host == "pve-1" and tower.port.task(ref) == TaskStatus(ref, running=False, ok=True, exit_status="OK")
    later = faulty_port(tower.bell, BELL, BELL_TARGETS, tower.world, tower.clock)
    assert later.task(ref).ok, "the lie is believed in the next life, too"
    with pytest.raises(KeyError):
        tower.port.task(TaskRef("UPID:real", "pve-1"))


def test_what_has_no_name_or_no_lie_fails_loudly(tower: Tower) -> None:
    tower.world.faults.arm("bell.strange/*", Fault.LIE_ONCE)
    with pytest.raises(TypeError, match="no lie is known"):
        tower.port.strange()
    with pytest.raises(AttributeError):
        tower.port.unheard_of()  # type: ignore[attr-defined]  # that is the point
    nameless = faulty_port(tower.bell, BELL, {}, tower.world, tower.clock)
    with pytest.raises(KeyError):
        nameless.ring("a")
    assert tower.bell.done == []


@pytest.mark.parametrize("known", surfaces().values(), ids=lambda known: known.name)
def test_every_mutating_method_of_every_port_has_a_target_and_a_lie(known: Surface) -> None:
    clock = VirtualClock()
    assert set(TARGETS.get(known.name, {})) == known.mutations, f"lab/ports/faulty.py: TARGETS of {known.name}"
    proxy = FaultyPort(object(), known, TARGETS.get(known.name, {}), World(clock), clock)
    for method in known.mutations:
        parameters = inspect.signature(getattr(known.protocol, method)).parameters
        assert {path.split(".")[0] for path in TARGETS[known.name][method]} <= set(parameters)
        answer = get_type_hints(getattr(known.protocol, method))["return"]
        lie = proxy._lie(method, {"host": "pve-1", "holder": "me", "seconds": 1, "trigger": "now", "name": "one.db"})
        assert isinstance(lie, get_origin(answer) or answer), f"{known.name}.{method}"
