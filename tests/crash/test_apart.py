"""Visits of a stage that is built once, and the part of a matrix that stands for the whole."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from lab.ports.journal_disk import DiskFault
from lab.world.faults import Fault
from tests.crash.apart import Built
from tests.crash.matrix import Point, every, met_whole, some


class Counting:
    """A stage with something in memory and something in its folder."""

    def __init__(self, folder: Path) -> None:
        self.file, self.numbers = folder / "number", count(1)
        folder.mkdir()
        self.file.write_text("0")

    def go_on(self) -> tuple[int, str, int]:
        told = next(self.numbers), self.file.read_text(), len(list(self.file.parent.iterdir()))
        self.file.write_text("changed")
        self.file.with_name("more").touch()
        return told


def test_every_visit_finds_the_stage_as_it_was_built(tmp_path: Path) -> None:
    built = Built(Counting, tmp_path / "stage")
    assert [built.visit(lambda stage: (stage.go_on(), stage.go_on())) for _ in range(3)] == [((1, "0", 1), (2, "changed", 2))] * 3


PLACES = ("proxmox.create_vm/pve-1#1", "proxmox.create_vm/pve-2#1", "proxmox.create_vm/pve-1#2", "hold.write/record#1")
POINTS = [Point(place, fault, 1) for place in PLACES for fault in Fault] + [
    Point(str(number), fault, 1) for number in range(1, 31) for fault in DiskFault
]


def test_the_part_has_every_fault_for_every_method_one_at_least_for_every_place_and_a_sixth_of_the_writes() -> None:
    chosen = some(POINTS)
    assert {(point.place.partition("/")[0], point.fault) for point in chosen if not point.place.isdigit()} == {
        (method, fault) for method in ("proxmox.create_vm", "hold.write") for fault in Fault
    }
    assert {point.place for point in chosen} == {*PLACES, "1", "7", "13", "19", "25"}
    assert {point.fault for point in chosen if point.place.isdigit()} == set(DiskFault)
    assert len(chosen) == 2 * len(Fault) + 5


def test_more_places_than_faults_have_one_each() -> None:
    places = [f"drills.note/apps/notes#{number}" for number in range(1, 13)]
    chosen = some([Point(place, fault, 1) for place in places for fault in Fault])
    assert sorted(point.place for point in chosen) == sorted(places)
    assert {point.fault for point in chosen} == set(Fault)


def test_a_method_that_met_every_fault_elsewhere_meets_one_at_each_place() -> None:
    assert met_whole(some(POINTS)) == {"proxmox.create_vm", "hold.write"}
    assert met_whole([point for point in POINTS if point.fault is not Fault.SLOW]) == set()
    chosen = some(POINTS, known={"proxmox.create_vm"})
    assert [chosen.count(point) for point in POINTS if point.method == "hold.write"] == [1] * len(Fault)
    assert sorted(point.place for point in chosen if point.method == "proxmox.create_vm") == sorted(PLACES[:3])


def test_the_whole_is_every_point() -> None:
    assert every(POINTS) == POINTS
