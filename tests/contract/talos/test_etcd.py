"""What the Etcd port promises, asked of both doors: in process, and the real adapter with real talosctl and a genuine database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.age.adapter import Age
from adapters.etcd.adapter import TalosEtcd
from adapters.etcd.port import Etcd
from adapters.etcd.sealed import Sealing
from adapters.talos.results import EtcdData
from engine.errors import BlackstartError, TransientError
from engine.secrets import Secret
from lab.ports.machines.etcd import ModelledEtcd, Shelf
from lab.world.cluster.kubernetes import KubeWorld
from lab.world.store import Store
from tests.adapters.etcd.real import AUTHORITY, real_etcd
from tests.contract.talos.talos_bench import Bench, ModelledBench, Racks
from tests.contract.talos.talos_wire import WireBench
from tests.contract.talos.test_talos import bootstrapped
from tests.contract.talos.test_talos import racks as racks
from tests.contract.talos.test_talos import talos_house as talos_house


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A snapshot and a copy of the database, as a real etcd gives them."""
    folder = tmp_path_factory.mktemp("genuine")
    with real_etcd(folder, "127.101.9.12") as etcd:
        etcd.snapshot(folder / "snapshot")
        return (folder / "snapshot").read_bytes(), etcd.database.read_bytes()


@pytest.fixture(params=["modelled", pytest.param("wire", marks=pytest.mark.programs)])
def doors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Bench, Etcd]]:
    if request.param == "modelled":
        bench = ModelledBench()
        kube = KubeWorld(bench.world.world, bench.world, bench.house, Store())
        yield bench, ModelledEtcd(kube, bench.state, Shelf())
        return
    snapshot, database = request.getfixturevalue("genuine")
    wire = WireBench(request.getfixturevalue("talos_house"), tmp_path)
    wire.world.etcd.really_snapshot = lambda machine: snapshot
    wire.world.etcd.really_database = lambda machine: database
    try:
        yield wire, TalosEtcd(
            wire.house.state_dir, wire.files.runner, lambda: AUTHORITY, Sealing(Age(wire.files.runner), (), lambda: Secret(""))
        )
    finally:
        wire.close()


def test_a_snapshot_while_it_works_and_a_copy_when_it_stands_still(doors: tuple[Bench, Etcd], racks: Racks) -> None:
    bench, etcd = doors
    bootstrapped(bench, racks)
    first, second, third = bench.house.control_planes
    etcd.take(first.address, "one.snapshot")
    for node in (second, third):
        bench.world.power_off(node.mac)
    bench.until(lambda: not bench.talos.etcd(first.address).healthy, "no majority")
    assert bench.talos.etcd(first.address).data is EtcdData.PRESENT
    with pytest.raises(TransientError):
        etcd.take(first.address, "none.snapshot")
    etcd.copy(first.address, "one.copy")
    copy, snapshot = etcd.kept()
    assert [(one.name, one.sound, one.ours, one.hashed) for one in (copy, snapshot)] == [
        ("one.copy", True, True, False), ("one.snapshot", True, True, True),
    ]  # fmt: skip
    assert copy.revision >= snapshot.revision > 0


def wipe_all(bench: Bench, etcd: Etcd) -> None:
    """Until no control plane has data. On a busy machine the first one joins the others again before they are wiped."""
    addresses = [node.address for node in bench.house.control_planes]
    for address in addresses:
        etcd.wipe(address)

    def none_left() -> bool:
        found = {address: bench.talos.etcd(address).data for address in addresses}
        for address in (each for each, data in found.items() if data is EtcdData.PRESENT):
            with suppress(BlackstartError):
                etcd.wipe(address)
        return set(found.values()) == {EtcdData.NONE}

    bench.until(none_left, "no data anywhere")


def test_what_is_wiped_is_recovered_on_one_and_the_others_join_it(doors: tuple[Bench, Etcd], racks: Racks) -> None:
    bench, etcd = doors
    bootstrapped(bench, racks)
    cps = bench.house.control_planes
    etcd.take(cps[0].address, "one.snapshot")
    wipe_all(bench, etcd)
    etcd.recover(cps[0].address, etcd.look("one.snapshot"))
    bench.until(lambda: all(bench.talos.etcd(node.address).healthy for node in cps), "one etcd of all again")
    assert len(bench.world.etcd.clusters) == 2
    with pytest.raises(BlackstartError):
        etcd.recover(cps[0].address, etcd.look("one.snapshot"))


def test_a_copy_is_recovered_without_its_hash(doors: tuple[Bench, Etcd], racks: Racks) -> None:
    bench, etcd = doors
    bootstrapped(bench, racks)
    first, *others = bench.house.control_planes
    etcd.copy(first.address, "one.copy")
    wipe_all(bench, etcd)
    etcd.recover(others[0].address, etcd.look("one.copy"))
    bench.until(lambda: bench.talos.etcd(others[0].address).healthy, "an etcd that began elsewhere")


def test_a_worker_and_a_node_that_is_dark_are_told(doors: tuple[Bench, Etcd], racks: Racks) -> None:
    bench, etcd = doors
    bootstrapped(bench, racks)
    dark = bench.house.control_planes[2]
    bench.world.power_off(dark.mac)
    for act in (lambda: etcd.copy(dark.address, "dark.copy"), lambda: etcd.wipe(dark.address)):
        with pytest.raises(TransientError):
            act()
    with pytest.raises(BlackstartError):
        etcd.copy(bench.house.node("w-1").address, "worker.copy")
    assert etcd.kept() == ()
