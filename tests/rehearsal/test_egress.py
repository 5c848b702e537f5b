"""What restores fetch out of the stores and what that costs: measured, or told as unknown, and never as nothing."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.drills import script
from adapters.drills.jobs import restore_of
from adapters.drills.results import Phase
from adapters.volsync.reader import Request
from adapters.volsync.results import Snapshot
from engine.errors import SettingsInvalid
from house.values.rehearsing import Objectives, Prices, Rehearsal
from rehearsal.controls import Kind
from rehearsal.drill import Drill, resumed, scratch_name
from rehearsal.egress import Fetched, egress_of, told
from rehearsal.outcome import Control, DrillOutcome, DrillVerdict, Egress, from_json
from rehearsal.past import past_of
from tests.crash.apart import Built
from tests.house.reading import load
from tests.house.settings.test_afterwards import with_more
from tests.rehearsal.stage import DrilledHouse

GB = 10**9
PRICES = Prices(0.007, "USD", {"s3:https://nas.lan": 0.0, "s3:https://nas.lan/far": 0.5})


@pytest.mark.parametrize(
    ("prices", "repository", "price"),
    [
        (PRICES, "s3:https://gateway/notes", 0.007), (PRICES, "s3:https://nas.lan/notes", 0.0),
        (PRICES, "s3:https://nas.lan/far/notes", 0.5), (PRICES, "", None),
        (Prices(), "s3:https://gateway/notes", None), (Prices(0.01, "EUR"), "", 0.01),
        (Prices(None, "EUR", {"a": 0.0}), "b", None), (Prices(None, "EUR", {"a": 0.0}), "a/b", 0.0),
    ],
)  # fmt: skip
def test_the_price_of_a_store(prices: Prices, repository: str, price: float | None) -> None:
    assert prices.of(repository) == price


AT = "s3:https://gateway/x"


@pytest.mark.parametrize(
    ("fetched", "prices", "egress", "says"),
    [
        ([], PRICES, None, "of unknown size"),
        ([("a", AT, None)], PRICES, None, "of unknown size"),
        ([("a", AT, 2 * GB), ("b", AT, GB)], PRICES, Egress(3 * GB, 0.021, "USD"), "3.0 GB, for 0.02 USD"),
        ([("a", AT, 5000)], PRICES, Egress(5000, 3.5e-8, "USD"), "5.0 kB, for less than 0.01 USD"),
        ([("a", "s3:https://nas.lan/a", GB)], PRICES, Egress(GB, 0.0, "USD"), "1.0 GB, for nothing"),
        ([("a", AT, GB), ("b", AT, None)], PRICES, Egress(GB, None, "USD", ("b",)), "at least 1.0 GB (b not measured), at an"),
        ([("a", AT, GB)], Prices(), Egress(GB, None, "", (), ("a",)), "1.0 GB, at an unknown price: no price is given of a"),
        ([("a", AT, GB), ("b", "", GB)], PRICES, Egress(2 * GB, None, "USD", (), ("b",)), "unknown price: no price is given of b"),
    ],
)  # fmt: skip
def test_the_sum_and_its_price(
    fetched: list[tuple[str, str, int | None]], prices: Prices, egress: Egress | None, says: str
) -> None:  # fmt: skip
    found = egress_of([Fetched(*one) for one in fetched], prices)
    assert found == (replace(egress, cost=pytest.approx(egress.cost)) if egress is not None and egress.cost else egress)
    assert says in told(found)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[DrilledHouse]:
    return Built(lambda folder: DrilledHouse(folder, 1), tmp_path_factory.mktemp("egress") / "house")


def drilled(
    built: Built[DrilledHouse], prices: Prices, *, uncounted: bool = False, control: Kind = Kind.BYTE_FLIPPED
) -> DrillOutcome:  # fmt: skip
    def play(there: DrilledHouse) -> DrillOutcome:
        drilling = there.drilling
        drilling.house = replace(drilling.house, rehearsal=Rehearsal({}, Objectives(prices=prices)))
        there.drilling.home.kube.objects().rigged.uncounted = uncounted
        return drilling.drill(control)

    return built.visit(play)


def test_a_drill_tells_what_it_fetched_with_its_control_and_what_a_recovery_would(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, Prices(1e6, "USD"))
    claims = sum(one.received_bytes or 0 for one in outcome.claims)
    assert outcome.verdict is DrillVerdict.PASS and outcome.control.received_bytes
    assert outcome.control.claim in {one.name for one in outcome.claims}
    assert outcome.egress is not None and outcome.egress.bytes == claims + outcome.control.received_bytes
    assert outcome.egress.cost == pytest.approx(outcome.egress.bytes / 1000)
    assert outcome.forecast is not None and outcome.forecast.egress is not None
    assert outcome.forecast.egress.bytes == claims, "what is planted is no part of a recovery"
    assert from_json(outcome.to_json()) == outcome


def test_a_restore_that_nothing_could_be_planted_into_is_in_the_sum(built: Built[DrilledHouse]) -> None:
    """An owner is changed on a file, and this one restore brings none: the next fault is planted into a second restore."""
    bare = drilled(built, Prices()).control.received_bytes

    def play(there: DrilledHouse) -> DrillOutcome:
        first = {scratch_name(claim, Kind.OWNER_CHANGED) for claim in there.drilling.house.claims}
        there.drilling.home.kube.objects().rigged.spoil = lambda into, entries: (
            tuple(replace(one, kind="dir") for one in entries) if into in first else entries
        )
        return there.drilling.drill(Kind.OWNER_CHANGED)

    control = built.visit(play).control
    assert bare and (control.name, control.caught, control.received_bytes) == (Kind.BYTE_FLIPPED.value, True, 2 * bare)


def test_of_two_controls_of_which_one_was_not_counted_the_sum_is_not_known(built: Built[DrilledHouse]) -> None:
    """A wrong password is followed by a fault of a comparison: the lab's pods tell nothing of a restore that failed."""
    outcome = drilled(built, Prices(1.0, "USD"), control=Kind.WRONG_PASSWORD)
    assert outcome.control.caught and outcome.control.received_bytes is None
    assert outcome.egress is not None and outcome.egress.cost is None
    assert outcome.egress.unmeasured == ("the planted wrong-password",)


def test_pods_that_cannot_tell_leave_it_unknown(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, Prices(1.0, "USD"), uncounted=True)
    assert outcome.verdict is DrillVerdict.PASS, "it is no fault of the backup"
    assert outcome.egress is None and outcome.forecast is not None and outcome.forecast.egress is None
    assert from_json(outcome.to_json()) == outcome


def test_without_a_price_it_is_not_free(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, Prices())
    assert outcome.egress is not None and outcome.egress.bytes > 0
    assert outcome.egress.cost is None and "unknown price" in told(outcome.egress)


def test_what_claims_fetched_last_outlives_a_kill(built: Built[DrilledHouse]) -> None:
    def play(there: DrilledHouse) -> dict[str, int]:
        drill: Drill = replace(there.drill, fetched={"apps/notes": 7})
        drills = there.drilling.home.act("x").drills
        drills.fence_in(drill.run)
        drills.note("plan", drill.plan())
        again = resumed(there.drilling.house, drills.scratch(), drill.started + 1.0, {})
        assert again is not None
        return dict(again.fetched)

    assert built.visit(play) == {"apps/notes": 7}


def test_the_last_drill_that_passed_says_what_a_claim_fetches(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, Prices())
    first, second, third = (
        replace(outcome, started=at, control=Control("x", caught, ""), claims=tuple(
            replace(one, verdict=verdict, received_bytes=count) for one in outcome.claims
        ))
        for at, caught, verdict, count in ((1.0, True, DrillVerdict.PASS, 5), (2.0, True, DrillVerdict.FAIL, 9),
                                           (3.0, True, DrillVerdict.PASS, None))
    )  # fmt: skip
    assert set(past_of([first, second, third], simulated=True).fetched.values()) == {5}


def test_a_drill_of_before_is_read_as_one_that_measured_nothing(built: Built[DrilledHouse]) -> None:
    body = json.loads(drilled(built, Prices()).to_json())
    for one in body["claims"]:
        del one["received_bytes"]
    del body["control"]["received_bytes"], body["control"]["claim"], body["egress"], body["forecast"]["egress"]
    found = from_json(json.dumps(body))
    assert found.egress is None and {one.received_bytes for one in found.claims} == {None}


@pytest.mark.parametrize(
    ("log", "received"),
    [("r ok 3 4096\nn 5000\nend\n", 5000), ("r ok 3 4096\nend\n", None), ("r ok 3 4096\nn 0\nend\n", None),
     ("r ok 3 4096\nn -5\nend\n", None), ("r ok 3 4096\nn x\nend\n", None), ("r failed 12\nn 700\nend\n", 700),
     ("r other ab\nn 9\nend\n", 9)],
)  # fmt: skip
def test_what_a_restores_log_says_of_its_network(log: str, received: int | None) -> None:
    assert restore_of(log).received == received


DEVICES = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo frame compressed multicast
    lo: {lo}      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
  eth0: {eth0}     20    0    0    0     0          0         0     1000      20    0    0    0     0       0          0
  net1:{net1}     20    0    0    0     0          0         0     1000      20    0    0    0     0       0          0
"""


@pytest.mark.parametrize(("devices", "received"), [(DEVICES, 5100), ("", None), ("  eth0: none 2\n", None)])
def test_the_script_counts_what_came_in_by_every_interface_but_the_loopback(
    tmp_path: Path, devices: str, received: int | None
) -> None:
    counts = tmp_path / "dev"
    counts.write_text(devices.format(lo=1, eth0=1000, net1=50))
    (tmp_path / "data").mkdir()
    restic = tmp_path / "restic"  # a store that sends 5100 bytes, and as many over the loopback
    (tmp_path / "after").write_text(devices.format(lo=9999, eth0=6000, net1=150))
    restic.write_text(f'#!/bin/sh\ncase "$*" in *config*) echo \'{{"id": "ab"}}\' ;; *) cp {tmp_path}/after {counts} ;; esac\n')
    restic.chmod(0o755)
    (tmp_path / "own").mkdir()
    text = script.RESTORE.replace("/tmp/", f"{tmp_path}/own/").replace("/proc/net/dev", str(counts))
    text = text.replace("cd /data", f"cd {tmp_path}/data")
    told_ = Request(against=Snapshot("ab", "cd")).environment() | {"RESTORED": "cd", "DAMAGE": ""}
    told_["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", text], env=told_, capture_output=True, text=True, check=False)
    found = restore_of(done.stdout)
    assert (found.phase, found.received) == (Phase.DONE, received), done


def test_what_the_settings_say_is_taken_and_what_is_wrong_refused(tmp_path: Path) -> None:
    paid = '{per_gb: 0.007, currency: USD, stores: {"s3:https://nas.lan": 0}}'
    found = load(with_more(tmp_path / "said", f"\nobjectives: {{egress: {paid}}}\n")).rehearsal.objectives.prices
    assert found == Prices(0.007, "USD", {"s3:https://nas.lan": 0.0})
    assert load(with_more(tmp_path / "none", "")).rehearsal.objectives.prices == Prices()
    wrongs = {"per_gb: 1": "currency", "per_gb: -1, currency: USD": "per_gb", "per_gb: .inf, currency: USD": "per_gb",
              "per_gb: 1, currency: dollars": "currency"}  # fmt: skip
    for at, (wrong, says) in enumerate(wrongs.items()):
        with pytest.raises(SettingsInvalid) as refused:
            load(with_more(tmp_path / str(at), f"\nobjectives: {{egress: {{{wrong}}}}}\n"))
        assert f"objectives.egress.{says}" in refused.value.evidence[0]
