"""A stop is no answer: what takes errors for answers, and goes on, must not go on after a stop."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from adapters.talos.adapter import TalosctlTalos
from adapters.talos.results import Phase
from bootstrap.checks.proxmox import image
from bootstrap.checks.repository import kinds
from bootstrap.served import Served
from cluster.hold.holding import what_holds
from cluster.machines.absent import absent_nodes
from engine.errors import BlackstartError, Interrupted, OurError, PermanentError, TransientError


def raising(error: OurError) -> Any:
    """A door whose every method, of whatever view, raises this."""

    def answer(*_: object, **__: object) -> NoReturn:
        raise error

    class Door:
        def __getattr__(self, name: str) -> object:
            return answer

    return SimpleNamespace(factory=Door(), cluster=Door(), releases=Door(), proxmox=Door(), hold=Door(), talosctl=Door())


def _etcd(doors: Any) -> object:
    talos = TalosctlTalos.__new__(TalosctlTalos)
    talos._talosctl = doors.talosctl
    talos.phase = lambda address: Phase.SECURE  # type: ignore[method-assign]
    return talos.etcd("192.0.2.1")


RELEASE: Any = SimpleNamespace(namespace="kube-system", name="cilium", key="kube-system/cilium", chart="cilium")
GOES_ON: dict[str, Callable[[Any], object]] = {
    "hosts": lambda doors: absent_nodes(doors.proxmox, SimpleNamespace(nodes=())),  # type: ignore[arg-type]
    "the hold": lambda doors: what_holds(doors.hold),
    "a chart's kinds": lambda doors: Served(frozenset()).with_release(doors, RELEASE),
    "a factory": lambda doors: image._published(doors, "https://factory.invalid/a"),
    "what is served": kinds._living,
    "etcd": _etcd,
}


@pytest.mark.parametrize("what", GOES_ON)
@pytest.mark.parametrize("error", [TransientError("no answer"), PermanentError("no")])
def test_who_goes_on_without_an_answer_takes_an_error_for_none(what: str, error: BlackstartError) -> None:
    GOES_ON[what](raising(error))


@pytest.mark.parametrize("what", GOES_ON)
def test_who_goes_on_without_an_answer_does_not_go_on_after_a_stop(what: str) -> None:
    with pytest.raises(Interrupted):
        GOES_ON[what](raising(Interrupted("stopped")))


def test_a_stop_outside_of_any_step_ends_the_verb_as_one() -> None:
    from console.ending import guarded

    def stopped() -> int:
        raise Interrupted("stopped while it planned")

    assert guarded("cluster.plan", True, stopped) == 130
