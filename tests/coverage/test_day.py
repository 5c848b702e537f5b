"""The day's own judgement, by hand-made looks, and a short day in the whole house."""

from __future__ import annotations

from pathlib import Path

from lab.troubles.component import COMPONENT_TROUBLES
from tests.coverage.day import LONGEST_S, Card, deck, lived
from tests.coverage.desk import WholeDesk
from tests.coverage.systems import Fault
from tests.coverage.watch import GONE_WITHIN_S, Watch, Watched
from tests.scenario.faults.named_mends import MENDS


def a_watch(*rows: str, within_s: float = 60.0, aftermath: tuple[str, ...] = ()) -> tuple[Watch, Watched]:
    watch = Watch()
    return watch, watch.begins(Watched("broken", rows or ("a.row",), 1000.0, within_s, aftermath))


def test_a_fault_is_named_at_the_first_look_that_tells_all_its_rows() -> None:
    watch, one = a_watch("a.row", "b.row")
    watch.looked(1010.0, {"a.row": "no"})
    assert one.took_s is None
    watch.looked(1030.0, {"a.row": "no", "b.row": "no"})
    assert (one.took_s, watch.wrongs) == (30.0, [])


def test_a_fault_that_is_not_named_in_its_time_is_a_miss() -> None:
    watch, _ = a_watch()
    watch.looked(1059.0, {})
    assert watch.wrongs == []
    watch.looked(1060.0, {})
    assert watch.wrongs == ["broken: a.row does not tell it at 00:17, 60 s after it began"]


def test_a_fault_that_is_named_and_then_not_is_a_miss() -> None:
    watch, _ = a_watch()
    watch.looked(1010.0, {"a.row": "no"})
    watch.looked(1020.0, {})
    assert watch.wrongs == ["broken: a.row told it, and tells it no more at 00:17, though it lasts"]


def test_a_row_that_waits_for_a_red_one_has_its_word_from_there_and_one_that_waits_for_nothing_has_none() -> None:
    watch, one = a_watch()
    watch.begins(Watched("host", ("host.row",), 1000.0, 60.0))
    watch.looked(1010.0, {"host.row": "off"}, {"a.row"})
    assert (one.took_s, watch.wrongs) == (10.0, [])
    alone, other = a_watch()
    alone.looked(1010.0, {}, {"a.row"})
    assert other.took_s is None


def test_any_other_row_is_a_false_alarm_and_so_is_one_that_stays_after_the_end() -> None:
    watch, one = a_watch(aftermath=("talos.*",))
    watch.looked(1010.0, {"a.row": "no", "talos.x": "boots"})
    assert watch.wrongs == ["false alarm at 00:16: talos.x: boots"]
    one.ended = 1020.0
    watch.looked(1030.0, {"a.row": "no", "talos.x": "boots"})
    assert len(watch.wrongs) == 1
    watch.looked(1020.0 + GONE_WITHIN_S, {"a.row": "no"})
    assert watch.wrongs[1:] == ["false alarm at 00:22: a.row: no"]


def test_a_look_is_quiet_while_nothing_is_to_be_told() -> None:
    watch, one = a_watch(within_s=3600.0)
    watch.looked(1010.0, {})
    watch.looked(1020.0, {"a.row": "no"})
    one.ended = 1030.0
    watch.looked(1040.0, {})
    watch.looked(1030.0 + GONE_WITHIN_S, {})
    assert (watch.looks, watch.quiet) == (4, 2)


def test_every_fault_of_the_page_can_end_and_says_how_soon_it_is_seen() -> None:
    cards = deck()
    assert len(cards) > 60
    assert all(card.within_s > 0 for card in cards)
    ours = {card.fault.name for card in cards if card.fault.name in MENDS}
    assert ours == set(MENDS)
    slow = {card.fault.name for card in cards if card.fault.seen_within_s > LONGEST_S}
    assert slow == {"cert-manager-certificate-ending"}
    assert COMPONENT_TROUBLES["cnpg-backup-late"].seen_within_s < LONGEST_S


def test_two_faults_of_one_system_or_one_row_are_never_there_together() -> None:
    def card(name: str, row: str, *of: str) -> Card:
        return Card(Fault(name, lambda house: None, (row,)), frozenset(of))

    one = card("one", "a.row", "cilium")
    assert not one.goes_with([card("two", "b.row", "cilium")])
    assert not one.goes_with([card("two", "a.row", "coredns")])
    assert one.goes_with([card("two", "b.row", "coredns")])


def test_in_a_short_day_each_fault_is_named_in_time_and_nothing_else(tmp_path: Path) -> None:
    named = ("rook-operator-gone", "spegel-down", "host-down")
    cards = [card for card in deck() if card.fault.name in named]
    watch = lived(WholeDesk(tmp_path / "whole"), cards, seed=31, hours=0.25)
    assert watch.wrongs == []
    assert {one.name for one in watch.faults if one.took_s is not None} == {one.name for one in watch.faults} != set()
