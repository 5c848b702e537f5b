"""What a plan asks of nodes ahead of its rows is what they would have asked, once, and of nobody who is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from adapters.remembering import remembering
from engine.errors import TransientError
from engine.plan import Planned, plan
from talos.ahead import ask_ahead
from tests.adapters.test_remembering import asked_of
from tests.scenario.running import Running

TOGETHER = ("machines", "applied_digests", "versions", "clocks")


def test_rows_find_what_was_asked_ahead_of_them(tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path)
    look, asked = asked_of(house, "talos", lambda: house.clock.sleep(1.0))
    workers = house.clock.workers()
    seen = remembering(look, workers)
    began = house.clock.monotonic()
    ask_ahead(seen.talos, house.house, workers, [])
    assert house.clock.monotonic() == began, "it waits for nothing"
    made = plan(house.bootstrap.graph(), seen, workers=workers)
    assert [line.verdict for line in made.lines if line.id.startswith("talos.")].count(Planned.NOOP) > 3 * len(house.house.nodes)
    assert made.changes == ()
    # Each but `phase`, which is a handshake, starts a program of its own, which costs more than all that it asks.
    assert asked.counts == {"phase": len(house.house.nodes), "client_version": 1, "etcds": 1} | dict.fromkeys(TOGETHER, 1)


def test_of_machines_that_are_no_nodes_of_ours_nothing_but_the_certificate_is_asked(tmp_path: Path) -> None:
    house = Running(tmp_path)
    look, asked = asked_of(house, "talos")
    ask_ahead(remembering(look, house.clock.workers()).talos, house.house, house.clock.workers(), [])
    house.clock.sleep(1.0)
    assert asked.counts == {"phase": len(house.house.nodes), "etcds": 1}


def test_a_node_that_the_others_do_not_reach_is_asked_at_its_own_address(tmp_path: Path) -> None:
    """Both what a dead control plane in between costs, and a node that died after its certificate was seen."""
    house = Running.bootstrapped(tmp_path)
    look, asked = asked_of(house, "talos")
    cut = {name: partial(all_but, getattr(look.talos, name), house.house.nodes[-1].address) for name in TOGETHER}
    for name, told in cut.items():
        setattr(asked, name, told)
    workers = house.clock.workers()
    seen = remembering(look, workers)
    ask_ahead(seen.talos, house.house, workers, [])
    made = plan(house.bootstrap.graph(), seen, workers=workers)
    assert made.changes == ()
    assert [asked.counts[name] for name in ("machine", "applied_digest", "version", "clock")] == [1] * 4


def all_but(ask: Callable[..., Mapping[str, object]], lost: str, *given: object) -> Mapping[str, object]:
    return {node: told for node, told in ask(*given).items() if node != lost}


def test_silence_is_told_by_the_rows_that_ask(tmp_path: Path) -> None:
    def silent() -> None:
        raise TransientError("nobody answers")

    house = Running.bootstrapped(tmp_path)
    look, asked = asked_of(house, "talos", silent)
    workers = house.clock.workers()
    seen = remembering(look, workers)
    ask_ahead(seen.talos, house.house, workers, [])
    house.clock.sleep(1.0)
    assert asked.counts["phase"] == len(house.house.nodes)
    graph = house.bootstrap.graph()
    assert plan(graph, seen, workers=workers) == plan(graph, look, workers=workers)
    assert plan(graph, seen)["talos.apply-config/cp-1"].verdict is not Planned.NOOP


def test_a_bug_is_met_by_the_row_that_asks(tmp_path: Path) -> None:
    def broken() -> None:
        raise KeyError("a bug of ours")

    house = Running.bootstrapped(tmp_path)
    look, _ = asked_of(house, "talos", broken)
    workers = house.clock.workers()
    seen = remembering(look, workers)
    bugs: list[str] = []
    ask_ahead(seen.talos, house.house, workers, bugs)
    house.clock.sleep(1.0)
    with pytest.raises(KeyError):
        plan(house.bootstrap.graph(), seen, workers=workers)
    assert len(bugs) == 5 and all("KeyError at " in told for told in bugs)
