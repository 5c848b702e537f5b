"""What an answer of DNS comes to: each way in which a name can lead elsewhere, split horizon included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.dns.results import Answer
from cluster.dns_check import DnsAnswers, dns_checks
from engine.errors import TransientError
from engine.probe import Condition
from house.values.dns import DnsName, DnsServer
from lab.troubles.dns import DNS_TROUBLES
from tests.builders import a_house
from tests.scenario.running import Running

WWW, NOTES, NAS = "www.house.example", "notes.house.example", "nas.house.example"
SERVER = DnsServer("inside", "10.0.0.1", 53, (
    DnsName(WWW, ("10.0.0.60",), "dns.inside.names"), DnsName(NOTES, ("gateway.house.example",), "dns.inside.names"),
    DnsName(NAS, (), "dns.inside.names"), DnsName("any.house.example", None, "dns.yaml:4"),
))  # fmt: skip


def asked(tmp_path: Path, name: str = "", answer: Answer | None = None, server: DnsServer = SERVER) -> tuple[Condition, str]:
    house = Running(tmp_path / "state", a_house(dns=(server,)))
    if name:
        house.home.dns.zones["inside"].pop(name, None)
        house.home.dns.zones["inside"] |= {name: answer} if answer is not None else {}
    seen = next(dns_checks(house.house)).probe(house.home.look())
    return seen.condition, seen.detail


def test_a_server_that_answers_as_it_must_is_in_order(tmp_path: Path) -> None:
    condition, told = asked(tmp_path)
    assert condition is Condition.SATISFIED
    assert "4: as they must be" in told


@pytest.mark.parametrize(("name", "answer", "says"), [
    (WWW, Answer(("10.0.0.61",)), f"{WWW}: leads to 10.0.0.61, not to 10.0.0.60 (dns.inside.names)"),
    (WWW, Answer(("10.0.0.60", "10.0.0.61")), "leads to 10.0.0.60, 10.0.0.61, not to 10.0.0.60"),
    (WWW, Answer(("fd00::60",)), "leads to fd00::60, not to 10.0.0.60"),
    (WWW, None, f"{WWW}: leads nowhere (dns.inside.names)"),
    (WWW, Answer(), "leads nowhere"),
    (NOTES, Answer(("10.0.0.60",)), "not to gateway.house.example"),
    (NAS, Answer(("10.0.0.5",)), f"{NAS}: leads to 10.0.0.5, and is not to be known there"),
    (NAS, Answer((), ("gateway.house.example",)), "leads to gateway.house.example, and is not to be known there"),
    ("any.house.example", None, "any.house.example: leads nowhere (dns.yaml:4)"),
    ("any.house.example", Answer((), ("gone.example",), nowhere=True), "leads nowhere by way of gone.example (dns.yaml:4)"),
    (NOTES, Answer((), ("gateway.house.example",), nowhere=True), "leads nowhere by way of gateway.house.example"),
    (NAS, Answer((), ("gone.example",), nowhere=True), "leads to gone.example, and is not to be known there"),
])  # fmt: skip
def test_a_name_that_leads_elsewhere_is_told(tmp_path: Path, name: str, answer: Answer | None, says: str) -> None:
    condition, told = asked(tmp_path, name, answer)
    assert condition is Condition.DRIFTED
    assert says in told


@pytest.mark.parametrize(("name", "answer"), [
    (WWW, Answer(("10.0.0.60", "fd00::60"))), (WWW, Answer(("10.0.0.60",), ("gateway.house.example",))),
    (NOTES, Answer(("10.0.0.9",), ("gateway.house.example", "other.house.example"))),
    (NOTES, Answer((), ("gateway.house.example",))),
])  # fmt: skip
def test_a_name_that_leads_there_by_another_way_is_in_order(tmp_path: Path, name: str, answer: Answer) -> None:
    assert asked(tmp_path, name, answer)[0] is Condition.SATISFIED


def test_names_that_are_not_asked_are_told(tmp_path: Path) -> None:
    server = replace(SERVER, left=2, names=())
    condition, told = asked(tmp_path, server=server)
    assert condition is Condition.SATISFIED
    assert "2 names of Git not asked" in told


def test_a_server_that_does_not_say_is_unknown_and_never_a_name_that_is_gone(tmp_path: Path) -> None:
    house = Running(tmp_path / "state", a_house(dns=(SERVER,)))
    house.home.dns.silent.add("inside")
    with pytest.raises(TransientError, match="does not answer"):
        DnsAnswers(SERVER).probe(house.home.look())


@pytest.mark.parametrize(("refused", "wrong", "condition", "says"), [
    ((WWW,), NAS, Condition.DRIFTED, f"{NAS}: leads to 10.0.0.66, and is not to be known there"),
    ((NAS,), WWW, Condition.DRIFTED, f"{WWW}: leads to 10.0.0.66, not to"),
    ((WWW, NAS), "", Condition.UNKNOWN, f"{WWW}: the server does not say where"),
    ((WWW, NOTES), "", Condition.UNKNOWN, ""),
])  # fmt: skip
def test_a_name_that_is_refused_hides_no_other(refused: tuple[str, ...], wrong: str, condition: Condition, says: str) -> None:
    right = {WWW: Answer(("10.0.0.60",)), NOTES: Answer((), ("gateway.house.example",)), NAS: Answer()}
    asked: list[str] = []

    def ask(host: str, port: int, name: str) -> Answer:
        asked.append(name)
        if name in refused:
            raise TransientError(f"the server does not say where {name} leads: it answers REFUSED")
        return Answer(("10.0.0.66",)) if name == wrong else right.get(name, Answer(("10.0.0.1",)))

    look: Any = SimpleNamespace(dns=SimpleNamespace(ask=ask))
    if refused == (WWW, NOTES):  # nothing was answered so far: no other is waited for
        with pytest.raises(TransientError, match=WWW):
            DnsAnswers(SERVER).probe(look)
        assert asked == [WWW, NOTES]
        return
    seen = DnsAnswers(SERVER).probe(look)
    assert seen.condition is condition
    assert says in seen.detail
    assert all(any(f"{name}: the server does not say" in line for line in seen.evidence) for name in refused)


def test_a_server_that_falls_silent_is_not_asked_for_the_rest_and_that_is_told() -> None:
    def ask(host: str, port: int, name: str) -> Answer:
        if name == WWW:
            return Answer(("10.0.0.61",))
        raise TransientError("it does not answer")

    seen = DnsAnswers(SERVER).probe(SimpleNamespace(dns=SimpleNamespace(ask=ask)))  # type: ignore[arg-type]  # all it asks
    assert seen.condition is Condition.DRIFTED
    assert any("1 name not asked any more" in line for line in seen.evidence)


def test_a_person_is_told_what_to_type() -> None:
    assert DnsAnswers(SERVER).by_hand().startswith(f"dig @10.0.0.1 -p 53 {WWW}")


def test_half_of_the_troubles_are_of_each_horizon() -> None:
    assert {one.server for one in DNS_TROUBLES.values()} == {"inside", "outside"}
