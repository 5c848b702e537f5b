"""What is asked side by side: one that hangs holds nobody who has learnt enough from another, nor the process that ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.hold.adapter import KubernetesHold
from adapters.kubernetes.adapter import KubernetesCluster
from engine.errors import TransientError
from engine.waiting import SystemClock
from tests.builders import a_house


class OutOfHand(Exception):
    """What no adapter takes for an answer: it comes out as a pressed Ctrl-C would."""


@dataclass
class Door:
    """An API server's client, or a runner of programs: does what it is told when it is asked."""

    does: Callable[[], Any]

    def ask(self, *_: object, **__: object) -> Any:
        return self.does()

    def stream(self, argv: Sequence[str], *_: object, **__: object) -> None:
        self.does()


class NoRecord:
    """The API at its virtual address: it answers, and no hold's record is there."""

    def get(self, *_: object) -> None:
        return None


@dataclass
class Servers:
    """The clients of a house with these API servers."""

    doors: tuple[Door, ...]

    def main(self) -> NoRecord:
        return NoRecord()

    def each(self) -> tuple[tuple[str, Door], ...]:
        return tuple((f"127.0.0.{number}", door) for number, door in enumerate(self.doors, 1))


@pytest.fixture
def hanging() -> Iterator[Door]:
    """One that answers nothing until the test is over."""
    over = threading.Event()
    yield Door(over.wait)
    over.set()


def raising(error: Exception) -> Door:
    def fails() -> None:
        raise error

    return Door(fails)


def test_an_api_server_that_hangs_does_not_hold_who_asks_for_all(hanging: Door, tmp_path: Path) -> None:
    servers: Any = Servers((hanging, raising(OutOfHand())))
    cluster = KubernetesCluster(servers, a_house(state_dir=tmp_path), SystemClock(), secrets=None)  # type: ignore[arg-type]
    with pytest.raises(OutOfHand):
        cluster.api_servers()


def test_an_api_server_that_hangs_does_not_hold_who_tries_the_hold(hanging: Door) -> None:
    servers: Any = Servers((hanging, raising(TransientError("no route"))))
    with pytest.raises(TransientError, match="no route"):
        KubernetesHold(servers, SystemClock()).refusals()
