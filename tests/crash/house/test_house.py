"""The crash matrix over the whole modelled house: faults at the mutations of a bootstrap, a restore and every other course.

Here a part that stands for all of it (`tests.crash.matrix.some`); `python -m tests.crash.matrices` visits every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import pytest

from adapters.surface import surfaces
from lab.world.faults import Fault
from tests.crash.house.beneath import STAGES, HandedOver
from tests.crash.house.losses import LostNode, SavedEtcd, StillEtcd
from tests.crash.house.neighboured import NeighbouredHouse
from tests.crash.house.powered import CheckpointedHouse, DarkHosts, StoppedHouse, StoppedThenStarted
from tests.crash.house.stages import TwoPlacesHouse
from tests.crash.house.survived import SurvivedHouse
from tests.crash.house.undone import UndoneHouse
from tests.crash.matrix import Choose, MakeStage, Matrix, Point, every, explore, met_whole, some


def _of_claims(points: Sequence[Point]) -> Sequence[Point]:
    """What is done to claims and their movers alone: all else is met in the other stages."""
    return [point for point in points if point.place.startswith("claims.")]


def _of_losses(points: Sequence[Point]) -> Sequence[Point]:
    """What only a loss needs: VMs, machineconfigs and images are met in the bare house."""
    own = ("proxmox.destroy_vm", "talos.remove_member", "cluster.forget_node", "etcd.")
    return [point for point in points if point.place.startswith(own)]


def _of_kept(points: Sequence[Point]) -> Sequence[Point]:
    """What is done to volumes that are kept: stopping, deleting and starting are met in the house that is alive."""
    return [point for point in points if point.place.startswith("kept.")]


def _of_hand_over(points: Sequence[Point]) -> Sequence[Point]:
    """What lets Flux at a database again: all else is met where it is lost."""
    return [point for point in points if point.place.startswith("databases.hand_over")]


POWER = ("talos.shut_down/127.10.0.14", "cluster.wake", "databases.rest", "databases.wake")


def _of_power(points: Sequence[Point]) -> Sequence[Point]:
    """What switches a house off, and lets it go on: all else is met in other stages."""
    return [point for point in points if point.place.startswith(POWER)]


def _of_hosts(points: Sequence[Point]) -> Sequence[Point]:
    """What takes a host off; and a death behind what ends its NAS, or wakes it: both come again as they are."""
    deaths = [point for point in points if point.place.startswith(("proxmox.shut_down_vm", "proxmox.wake_host"))]
    return [
        *(point for point in points if point.place.startswith("proxmox.shut_down_host")),
        *(point for point in deaths if point.fault is Fault.DIE_AFTER),
    ]


def _of_checkpoints(points: Sequence[Point]) -> Sequence[Point]:
    """The backup that is asked for, and the end of a database, of which another one's word is not taken: applications are stopped
    in other stages."""
    lied = [point for point in points if point.place.startswith("databases.reached") and point.fault is Fault.LIE_ONCE]
    return [point for point in points if point.place.startswith(("claims.back_up_now", "databases.rest"))] + lied


def _once(points: Sequence[Point]) -> Sequence[Point]:
    """One death at the first mutation of each method: what each fault does to a restore is met in the house with one claim."""
    deaths = [point for point in points if point.fault is Fault.DIE_AFTER]
    return list({point.place.partition("/")[0]: point for point in reversed(deaths)}.values())


CHOICES: dict[object, Choose] = {
    HandedOver: _of_hand_over,
    TwoPlacesHouse: _of_claims, LostNode: _of_losses, SavedEtcd: _of_losses, StillEtcd: _of_losses, UndoneHouse: _of_kept,
    SurvivedHouse: _of_kept,
    StoppedHouse: _of_power, StoppedThenStarted: _of_power,
    DarkHosts: _of_hosts, CheckpointedHouse: _of_checkpoints, NeighbouredHouse: _once,
}  # fmt: skip


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Matrix]:
    """What stands for the matrix of every stage: explored once for all tests of this module."""
    folder, known = tmp_path_factory.mktemp("matrices"), set[str]()

    def part(points: Sequence[Point], of: Choose) -> Sequence[Point]:
        chosen = some(of(points), known)
        known.update(met_whole(chosen))
        return chosen

    return {
        stage.__name__: explore(
            cast("MakeStage", stage), folder / stage.__name__, choose=partial(part, of=CHOICES.get(stage, every))
        )
        for stage in STAGES
    }


@pytest.mark.parametrize("stage", [stage.__name__ for stage in STAGES])
def test_faults_at_every_mutation_converge_and_double_nothing(
    stage: str, matrices: dict[str, Matrix], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{stage}: {matrices[stage]}")  # noqa: T201 - the count is part of the proof
    assert matrices[stage].points > 0
    assert matrices[stage].failures == []


def test_every_mutating_method_of_every_port_is_met(matrices: dict[str, Matrix]) -> None:
    met = {name for matrix in matrices.values() for name in matrix.met}
    known = {f"{port.name}.{name}" for port in surfaces().values() for name in port.mutations}
    assert known - met == set()
