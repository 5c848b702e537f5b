"""What several nodes tell one talosctl: only what is surely a node's own counts, and the rest is for a look at that node."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from adapters.process.results import NO_ENVIRONMENT, Finished
from adapters.talos.adapter import TalosctlTalos
from adapters.talos.talosctl import Talosctl
from adapters.talos.together import Together
from engine.errors import TransientError
from engine.secrets import Secret

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
ALL = (A, B, C)
TIME = """NODE       NTP-SERVER            NODE-TIME                                 NTP-SERVER-TIME
10.0.0.1   time.cloudflare.com   2026-11-30 13:55:57.328989267 +0000 UTC   2026-11-30 13:55:57 +0000 UTC
10.0.0.2   time.cloudflare.com   2026-11-30 13:55:58.5 +0000 UTC           2026-11-30 13:55:58 +0000 UTC
"""
SERVICE = """NODE     10.0.0.2
ID       etcd
STATE    Running
HEALTH   OK
EVENTS   [Running]: Started task etcd (14m51s ago)
         [Preparing]: Running pre state (14m57s ago)
NODE     10.0.0.1
ID       etcd
STATE    Preparing
HEALTH   ?
"""
MEMBERS = """ID   HOSTNAME   PEER URLS              CLIENT URLS            LEARNER
1a   cp-1       https://10.0.0.1:2380   https://10.0.0.1:2379   false
"""


class Says:
    """A talosctl that says one thing, or is refused with one."""

    def __init__(self, text: str, refusal: TransientError | None = None) -> None:
        self.text, self.refusal, self.argv = text, refusal, list[str]()

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        """That."""
        self.argv = list(argv)
        if self.refusal is not None:
            raise self.refusal
        return Finished("", 1, self.text.encode(), ("1 error occurred:",), 0.1)


def node(address: str, spec: object) -> str:
    return json.dumps({"node": address, "metadata": {"id": "version"}, "spec": spec}, indent=4) + "\n"


def versions(text: str) -> Mapping[str, str]:
    return TalosctlTalos(Path("/nowhere"), Says(text), str).versions(ALL, (A,))


V = {"version": "v1.13.9"}


def test_who_answers_is_told_although_another_does_not() -> None:
    assert versions(node(A, V) + node(C, V)) == {A: "v1.13.9", C: "v1.13.9"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", set()),
        ("error: no", set()),
        (node(A, V) + node(B, V)[:40], set()),  # cut off: nothing of it is believed
        (node(A, V) + node(A, {"version": "v1.12.0"}) + node(B, V), {B}),  # one word against the other
        (node("10.0.0.9", V) + node("", V) + node(B, V), {B}),  # nobody asked that one
        (json.dumps({"node": A, "metadata": {}}) + node(B, V), {B}),
        (json.dumps({"spec": V}), set()),  # whose?
    ],
)
def test_what_is_not_surely_one_nodes_own_is_nobodys(text: str, told: set[str]) -> None:
    assert versions(text).keys() == told


def test_a_config_that_is_not_shown_as_text_is_left_out() -> None:
    talos = TalosctlTalos(Path("/nowhere"), Says(node(A, "machine: {type: worker}") + node(B, {"machine": {}})), str)
    assert talos.applied_digests(ALL, (A,)).keys() == {A}


def test_each_clock_is_its_own_nodes() -> None:
    clocks = TalosctlTalos(Path("/nowhere"), Says(TIME), str).clocks(ALL, (A,))
    assert {node: round(at % 60, 3) for node, at in clocks.items()} == {A: 57.329, B: 58.5}


def test_a_table_without_names_is_nobodys() -> None:
    assert Together(Talosctl(Says(MEMBERS), Path("/nowhere"))).rows(ALL, (A,), "etcd", "members") == {}
    assert TalosctlTalos(Path("/nowhere"), Says(TIME.replace("NODE ", "WHO  ", 1)), str).clocks(ALL, (A,)) == {}


def test_descriptions_are_told_apart_by_the_nodes_that_head_them() -> None:
    told = Together(Talosctl(Says(SERVICE), Path("/nowhere"))).described(ALL, (A,), "service", "etcd")
    states = {node: (lines["STATE"], lines["HEALTH"]) for node, lines in told.items()}
    assert states == {B: ("Running", "OK"), A: ("Preparing", "?")}


def test_a_refusal_is_told_by_each_node_itself_and_nobody_is_asked_through_nobody() -> None:
    late = Says("", TransientError("talosctl took too long"))
    assert TalosctlTalos(Path("/nowhere"), late, str).versions(ALL, (A,)) == {}
    assert late.argv[-4:] == ["--endpoints", A, "--nodes", ",".join(ALL)]
    never = Says(node(A, V))
    assert (TalosctlTalos(Path("/nowhere"), never, str).versions(ALL, ()), never.argv) == ({}, [])
