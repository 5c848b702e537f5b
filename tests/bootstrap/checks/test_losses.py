"""What a lost etcd is judged by: the newest file over several lives of an etcd, whose data were looked at, what is newer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.etcd.results import EtcdSnapshot
from bootstrap.checks.etcd.recoverable import newest
from bootstrap.recover_etcd import course, saving
from bootstrap.replace_node import course as replacement
from cluster.course import Course
from engine.errors import Interrupted, TransientError
from engine.probe import Condition
from lab.ports.machines.etcd import LabSnapshot
from tests.hands import see
from tests.scenario.loss.test_replace_node import gone, machine, off
from tests.scenario.running import Running

DAY = 86400.0
SNAPSHOT, STANDSTILL, PAST = "preflight.snapshot", "preflight.standstill", "etcd.moved-past"


def kept(name: str, revision: int, taken: float, *, written: float = 0.0) -> EtcdSnapshot:
    return EtcdSnapshot(
        name, hashed=True, digest=name, revision=revision, keys=9, taken=taken, ours=True, written=written or taken + 1
    )


def recovering(house: Running, name: str = "") -> Course:
    look = house.home.look().etcd
    return course(house.house, look.look(name) if name else newest(look.kept()), house.house.node("cp-1"))


def shelve(house: Running, one: EtcdSnapshot) -> None:
    authority = next(iter(house.home.snapshots.files.values())).seen.authority
    house.home.snapshots.files[one.name] = LabSnapshot(replace(one, authority=authority))


def dumb(house: Running, name: str) -> None:
    """It answers, and does not tell of its etcd."""
    config = machine(house, name).config
    assert config is not None
    machine(house, name).config = replace(config, control_plane=False)


def test_the_newest_is_of_the_life_that_wrote_last_and_not_of_the_one_that_wrote_most() -> None:
    before = kept("before-the-rebuild", 5_000_000, 100 * DAY)
    now = kept("since-the-rebuild", 900, 200 * DAY)
    assert newest((before, now)) == now
    assert newest((now, replace(now, name="more", revision=901))) == replace(now, name="more", revision=901)


def test_a_node_whose_clock_was_ahead_makes_no_file_newer_than_it_was_written() -> None:
    ahead = kept("ahead", 800, 9000 * DAY, written=200 * DAY)
    assert newest((ahead, kept("later", 900, 201 * DAY))).name == "later"  # type: ignore[union-attr]  # one of the two
    first = kept("first", 900, 200 * DAY, written=200 * DAY - 60)
    again = replace(first, name="again", written=200 * DAY + 60)
    assert newest((again, first)) == first, "one more copy of the same data is no newer one, though this machine's clock is behind"


def test_a_file_of_an_etcd_of_before_is_no_newer_one(built: Running) -> None:
    built.apply(saving(built.house))
    shelve(built, kept("old.snapshot", 5_000_000, 1.0))
    gone(built, "cp-1", "cp-2", "cp-3")
    assert see(built, recovering(built), SNAPSHOT).condition is Condition.SATISFIED
    seen = see(built, recovering(built, "old.snapshot"), SNAPSHOT)
    assert seen.detail.startswith("old.snapshot is older than needed: cp-")
    assert "-" not in seen.detail.rpartition("newer by ")[2]
    assert not any("old.snapshot" in line for line in see(built, recovering(built), PAST).evidence)


def test_a_copy_of_an_earlier_loss_is_no_look_at_what_a_disk_has_now(built: Running) -> None:
    built.apply(saving(built.house))
    (one, *_) = built.home.look().etcd.kept()
    shelve(built, replace(one, name="cp-1-20200101-000000.copy", hashed=False, written=built.clock.now() - DAY))
    built.clock.sleep(2 * 3600)
    gone(built, "cp-2", "cp-3")
    seen = see(built, recovering(built), SNAPSHOT)
    assert seen.condition is Condition.MISSING, seen
    assert "cp-1 still has etcd's data, and nobody has looked" in seen.detail
    assert "save-etcd" in seen.hint


def test_a_copy_that_is_not_sound_is_told_beside_the_snapshot(built: Running) -> None:
    built.apply(saving(built.house))
    gone(built, "cp-2", "cp-3")
    there = machine(built, "cp-1").etcd_dir
    assert there is not None
    there.broken = "page 12 is not what it must be"
    built.clock.sleep(3700)
    assert built.apply(saving(built.house)).exit_code == 30
    assert see(built, saving(built.house), "etcd.save/cp-1").condition is Condition.MISSING, "it is not saved by a broken copy"
    seen = see(built, recovering(built), SNAPSHOT)
    assert seen.condition is Condition.SATISFIED, seen
    assert any(line.startswith("cp-1-") and line.endswith(".copy: page 12 is not what it must be") for line in seen.evidence)


def test_nothing_to_be_saved_is_not_called_saved(built: Running) -> None:
    gone(built, "cp-1", "cp-2", "cp-3")
    report = built.apply(saving(built.house))
    assert report.exit_code == 30, report
    (cause,) = report.root_causes
    assert cause.id == "etcd.saved"
    assert "nothing was saved: no control plane has any data of etcd" in cause.detail


def test_a_node_that_answers_is_not_gone_with_its_data_for_want_of_a_vm(built: Running) -> None:
    gone(built, "cp-1", "cp-2")
    dumb(built, "cp-3")
    del built.home.proxmox.vms[8003]
    seen = see(built, recovering(built), STANDSTILL)
    assert (seen.condition, seen.detail.split()[0]) == (Condition.UNKNOWN, "cp-3"), seen
    assert see(built, saving(built.house), "etcd.save/cp-3").condition is Condition.UNKNOWN


def test_an_etcd_of_which_one_member_alone_answers_does_not_stand_still(built: Running) -> None:
    gone(built, "cp-2")
    dumb(built, "cp-3")
    told = "etcd works; 1 of 3 says so, for not every member could be asked"
    assert see(built, recovering(built), STANDSTILL).detail == f"{told}: nothing is recovered over it"
    assert see(built, recovering(built), "etcd.recover").detail == told


def test_a_backup_that_gives_no_answer_is_not_taken_for_one_that_is_not_newer(built: Running) -> None:
    built.apply(saving(built.house))
    built.home.store.down = True
    seen = see(built, recovering(built), PAST)
    assert seen.condition is Condition.UNKNOWN, seen
    assert any(line.startswith("apps/notes: ") and "unreachable" in line for line in seen.evidence), seen.evidence
    assert "newer" not in seen.detail.partition(":")[0]


def test_a_stop_ends_the_look_at_what_is_newer(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    built.apply(saving(built.house))
    check = next(one for one in recovering(built).checks if one.id == PAST)
    look = built.home.look()

    def stopped(*_: object) -> None:
        raise Interrupted("stopped")

    monkeypatch.setattr(look.backups, "look", stopped)
    with pytest.raises(Interrupted):
        check.probe(look)


def test_what_nobody_named_is_emptied_by_no_consent(built: Running) -> None:
    gone(built, "cp-2", "cp-3")
    built.apply(saving(built.house))
    one = see(built, recovering(built), "etcd.recover").identity
    assert one is not None
    machines = getattr(one, "emptied", ())
    assert machines == ("cp-1",)
    assert replace(one, emptied=("cp-1", "cp-2")).digest != one.digest


def test_storage_that_was_not_known_when_the_plan_was_made_stops_a_node_from_being_given_up(
    built: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    blind = replacement(built.house, built.house.node("cp-2"), rows=())
    assert see(built, blind, "preflight.storage-known").condition is Condition.SATISFIED

    def silent(*_: object) -> None:
        raise TransientError("no API server answers")

    look = built.home.look()
    check = next(one for one in blind.checks if one.id == "preflight.storage-known")
    monkeypatch.setattr(look.cluster, "storage_classes", silent)
    with pytest.raises(TransientError):
        check.probe(look)
    assert "preflight.storage-known" in next(one for one in blind.steps if one.id == "node.give-up/cp-2").needs
