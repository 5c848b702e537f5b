"""What a recovery of etcd refuses, each with its own sentence: one table. Nothing is changed by any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from adapters.etcd.results import EtcdSnapshot
from bootstrap.checks.etcd.recoverable import newest
from bootstrap.recover_etcd import course, saving
from engine.plan import Planned
from engine.probe import Condition
from lab.ports.machines.etcd import LabSnapshot
from lab.world.machines.machine import Port
from tests.hands import see
from tests.scenario.loss.test_recover_etcd import built as built
from tests.scenario.loss.test_recover_etcd import recovering
from tests.scenario.loss.test_replace_node import gone, machine, off
from tests.scenario.running import Running

ELSEWHERE = "/mnt/usb/etcd.snapshot"
STANDSTILL, SNAPSHOT = "preflight.standstill", "preflight.snapshot"


@dataclass(frozen=True)
class Refusal:
    """What is wrong, which check says so, and in which words; `name` of the snapshot that is asked for, "" for the newest."""

    what: str
    arrange: Callable[[Running], None]
    check: str
    sentence: str
    hint: str
    snapshot: str = ""
    condition: Condition = Condition.MISSING


def saved(house: Running) -> None:
    assert house.apply(saving(house.house)).exit_code in (0, 30)


def lost_and_saved(house: Running) -> None:
    gone(house, "cp-2", "cp-3")
    saved(house)


def nothing_saved(house: Running) -> None:
    gone(house, "cp-2", "cp-3")


def nothing_anywhere(house: Running) -> None:
    gone(house, "cp-1", "cp-2", "cp-3")


def one_off(house: Running) -> None:
    gone(house, "cp-2")
    off(house, "cp-3")
    saved(house)


def all_off(house: Running) -> None:
    off(house, "cp-1", "cp-2", "cp-3")


def silent(house: Running) -> None:
    gone(house, "cp-2")
    saved(house)
    off(house, "cp-1")
    machine(house, "cp-3").port = Port.CLOSED


def one_host_dark(house: Running) -> None:
    """Two of them lived on one host."""
    house.home.proxmox.vms[8003].host = "pve-2"
    nodes = tuple(replace(node, host="pve-2") if node.name == "cp-3" else node for node in house.house.nodes)
    house.house = replace(house.house, nodes=nodes)
    house.home.proxmox.host_down("pve-2")
    saved(house)


def file(**changes: object) -> Callable[[Running], None]:
    """Another file, from elsewhere: as a sound snapshot of now, but for this."""

    def arrange(house: Running) -> None:
        lost_and_saved(house)
        made = newest(house.home.look().etcd.kept())
        assert made is not None
        changed = replace(made, name=ELSEWHERE, hashed=True, **changes)  # type: ignore[arg-type]  # its fields
        house.home.snapshots.files[ELSEWHERE] = LabSnapshot(changed)

    return arrange


def uncopied(house: Running) -> None:
    """A snapshot of before, and a disk with newer data that nobody has copied."""
    saved(house)
    house.clock.sleep(3600)
    gone(house, "cp-2", "cp-3")


def torn(house: Running) -> None:
    lost_and_saved(house)
    for name, one in house.home.snapshots.files.items():
        house.home.snapshots.files[name] = LabSnapshot(replace(one.seen, problem="page 12 is not what it must be"))


REFUSALS = (
    Refusal("no snapshot, a disk", nothing_saved, SNAPSHOT, "there is no snapshot yet, and cp-1 still has etcd's", "save-etcd"),
    Refusal("no snapshot, no disk", nothing_anywhere, SNAPSHOT, "there is no snapshot of etcd to recover from", "--snapshot FILE"),
    Refusal("one may come back", one_off, STANDSTILL, "cp-3 is off, and may still have etcd's data", "first start VM 8003"),
    Refusal("all may come back", all_off, STANDSTILL, "cp-1, cp-2, cp-3 are off, and may still have", "first start VM 8001"),
    Refusal("one runs and is silent", silent, STANDSTILL, "cp-3 runs and gives no answer: nobody knows what etcd has there",
            "stop and destroy its VM", condition=Condition.UNKNOWN),
    Refusal("a majority in the dark", one_host_dark, STANDSTILL, "2 of 3 make an etcd of their own", "bring one"),
    Refusal("not there", lost_and_saved, SNAPSHOT, "is not sound: it cannot be read", "another one", ELSEWHERE),
    Refusal("changed", file(problem="its hash does not fit"), SNAPSHOT, "is not sound: its hash does", "another", ELSEWHERE),
    Refusal("cut off", file(problem="it ends after 81920 bytes"), SNAPSHOT, "is not sound: it ends after", "another", ELSEWHERE),
    Refusal("empty", file(problem="it holds no object of Kubernetes"), SNAPSHOT, "holds no object", "another", ELSEWHERE),
    Refusal("another cluster's", file(authority="x"), SNAPSHOT, "is of another cluster: it has another", "Secrets", ELSEWHERE),
    Refusal("nobody's", file(authority=""), SNAPSHOT, "is of another cluster: it has no Kubernetes CA in it", "Secrets", ELSEWHERE),
    Refusal("older than needed", file(revision=3, taken=1.0), SNAPSHOT, "is older than needed: cp-1", "take that", ELSEWHERE,
            condition=Condition.DRIFTED),
    Refusal("newer on a disk", uncopied, SNAPSHOT, "cp-1 still has etcd's data, and nobody has looked how new", "save-etcd"),
    Refusal("a torn copy", torn, SNAPSHOT, "there is no snapshot of etcd to recover from", "--snapshot FILE"),
)  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.what)
def test_each_refusal_has_its_sentence_and_changes_nothing(built: Running, case: Refusal) -> None:
    case.arrange(built)
    before = len(built.home.talos.etcd.clusters)
    seen = see(built, recovering(built, case.snapshot), case.check)
    assert seen.condition is case.condition
    assert case.sentence in seen.detail, seen
    assert case.hint in seen.hint, seen
    report = built.apply(recovering(built, case.snapshot))
    assert report[case.check].error is not None or report[case.check].detail
    assert not report.converged
    assert len(built.home.talos.etcd.clusters) == before
    assert not [one for one in built.home.world.happenings if "wiped" in one.what]


@pytest.mark.parametrize("lost", [(), ("cp-3",)])
def test_with_a_majority_there_nothing_is_recovered_over_it(built: Running, lost: tuple[str, ...]) -> None:
    """It is told as no refusal: the same again after a recovery finds just this."""
    saved(built)
    gone(built, *lost)
    seen = see(built, recovering(built), STANDSTILL)
    assert seen.detail.startswith(f"etcd works, {3 - len(lost)} of 3"), seen
    assert seen.detail.endswith("nothing is recovered over it")
    assert not [act for act in built.plan(recovering(built)).acts if act.step == "etcd.recover"]
    built.apply(recovering(built))
    assert len(built.home.talos.etcd.clusters) == 1
    assert not [one for one in built.home.world.happenings if "wiped" in one.what]


def test_an_older_snapshot_is_taken_by_consent_to_what_that_costs(built: Running) -> None:
    saved(built)
    (old, *_) = built.home.look().etcd.kept()
    built.home.snapshots.files[ELSEWHERE] = LabSnapshot(
        replace(old, name=ELSEWHERE), built.home.snapshots.files[old.name].objects
    )
    built.clock.sleep(3 * 3600)
    gone(built, "cp-2", "cp-3")
    saved(built)
    recovery = recovering(built, ELSEWHERE)
    acts = {act.step: act.words for act in built.plan(recovery).acts}
    assert f"{ELSEWHERE} is taken although" in acts["preflight.snapshot"]
    assert "and 3.0 h: what was written between is lost" in acts["preflight.snapshot"]
    assert built.plan(recovery)["preflight.snapshot"].verdict is Planned.REFUSED
    report = built.apply(recovery, built.consent(recovery))
    assert report["etcd.recover"].detail.startswith("etcd works"), report
    assert any("is newer by" in line and "3.0 h" in line for line in report["etcd.moved-past"].evidence)


def test_a_file_that_was_changed_since_it_was_chosen_is_not_taken(built: Running) -> None:
    lost_and_saved(built)
    chosen = newest(built.home.look().etcd.kept())
    assert chosen is not None
    other = course(built.house, replace(chosen, digest="0" * 64), built.house.node("cp-1"))
    assert see(built, other, SNAPSHOT).detail == f"{chosen.name} is not the file any more that was looked at first"


def test_a_snapshot_without_a_time_is_said_to_have_none(built: Running) -> None:
    one = EtcdSnapshot("etcd.snapshot", hashed=True, revision=7, keys=1, ours=True)
    seen = see(built, course(built.house, one, built.house.node("cp-1")), "etcd.moved-past")
    assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "etcd.snapshot does not say when it was taken")
