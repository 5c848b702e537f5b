"""`lab.fault --list`: every named fault by system; and what the lab writes of a storage is what the adapters read of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from adapters.ceph.rook import rook_clusters
from adapters.csi.adapter import CSI_NODE, KubernetesCsi
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import DAEMON_SET, NODE, SECRET, STORAGE_CLASS, Kind
from adapters.longhorn.adapter import KubernetesLonghorn
from adapters.longhorn.results import LonghornLook
from console.verbs import lab
from engine.errors import EXIT_OK
from lab.parts.objects.csi import class_object, led_objects, node_objects, pool_objects, secret_objects
from lab.parts.objects.storage import longhorn_objects, rook_objects
from lab.troubles.ceph import CEPH_TROUBLES
from lab.troubles.csi import CSI_TROUBLES
from lab.troubles.longhorn import LONGHORN_TROUBLES
from lab.troubles.named import TROUBLES
from lab.troubles.nas import NAS_FAULTS
from lab.troubles.rook import ROOK_TROUBLES
from lab.world.cluster import csi
from lab.world.cluster.longhorn import healthy
from lab.world.cluster.rook import LabRook

Printed = pytest.CaptureFixture[str]
SMALL = ("csi-driver-nfs", "csi-driver-smb", "democratic-csi", "OpenEBS")
NOW = 1_800_000_000.0


def test_the_list_has_sixty_faults_and_each_storage_its_share(capsys: Printed) -> None:
    assert lab.fault("four-nodes", "", "", listed=True, json=True) == EXIT_OK
    rows = json.loads(capsys.readouterr().out)["result"]["faults"]
    assert len({row["name"] for row in rows}) == len(rows) >= 60
    systems = Counter(row["system"] for row in rows)
    assert systems["Longhorn"] >= 5
    assert systems["NAS"] >= 10
    assert systems["databases"] >= 10
    assert systems["Ceph of the hosts"] >= 10
    assert systems["Ceph of Rook"] >= 5
    for system in ("OpenEBS", "csi-driver-nfs", "csi-driver-smb", "democratic-csi"):
        assert systems[system] >= 5
    assert all(row["what"] for row in rows)


def test_it_is_told_by_system_and_needs_no_house(capsys: Printed) -> None:
    assert lab.fault("four-nodes", "", "", listed=True, json=False) == EXIT_OK
    told = capsys.readouterr().out
    for system in {trouble.system for trouble in TROUBLES.values()}:
        assert f"{system}:\n" in told
    assert "host-down HOST: the host has no power" in told
    assert max(map(len, told.splitlines())) <= 100


def test_half_of_each_storages_faults_leave_its_own_word_healthy() -> None:
    stopping = [one for one in CEPH_TROUBLES.values() if one.stops]
    for well in (
        [one.says == "HEALTH_OK" for one in stopping], [one.well for one in ROOK_TROUBLES.values()],
        [one.well for one in LONGHORN_TROUBLES.values() if one.rows], [one.well for one in NAS_FAULTS.values()],
        *([one.well for one in CSI_TROUBLES.values() if one.of == of and one.classes] for of in SMALL),
    ):  # fmt: skip
        assert sum(well) * 2 >= min(len(well), 10)


def test_one_that_is_called_well_leaves_every_driver_on_every_node_and_every_pool_well() -> None:
    for trouble in (one for one in CSI_TROUBLES.values() if one.classes):
        look = trouble.change(csi.healthy())
        pools = all(pool.well or (pool.engine == "zfs" and pool.well is None) for pool in look.pools)
        drivers = {one.name: one.nodes for one in look.drivers} == {one.name: one.nodes for one in csi.healthy().drivers}
        assert trouble.well == (pools and drivers), trouble.name


@pytest.mark.parametrize("name", ["", *CSI_TROUBLES])
def test_what_drivers_and_pools_tell_is_read_as_it_was_meant(name: str) -> None:
    look = CSI_TROUBLES[name].change(csi.healthy()) if name else csi.healthy()
    nodes = [(CSI_NODE, item) for item in node_objects(look)] + [(NODE, item) for item in node_objects(look)]
    classes = [(STORAGE_CLASS, class_object(one)) for one in csi.CLASSES]
    secrets = [(SECRET, item) for item in secret_objects(look, csi.CLASSES)]
    stored = Stored([*pool_objects(look), *led_objects(look), *nodes, *classes, *secrets])
    seen = KubernetesCsi(cast("Clients", stored)).look()
    assert seen == replace(look, drivers=tuple(one for one in look.drivers if one.nodes))


class Stored:
    """Objects as an API would list them."""

    def __init__(self, objects: list[tuple[Kind, dict[str, Any]]]) -> None:
        self._objects = objects

    def main(self) -> Stored:
        return self

    def list_objects(
        self, kind: Kind, namespace: str = "", *, fields: str = "", metadata_only: bool = False
    ) -> list[dict[str, Any]]:
        found = [item for item in self.list_if_served(kind) if namespace in ("", item["metadata"].get("namespace"))]
        return [item for item in found if fields in ("", f"metadata.name={item['metadata']['name']}")]

    def list_if_served(self, kind: Kind) -> list[dict[str, Any]]:
        return [item for of, item in self._objects if of == kind]


def running(look: LonghornLook) -> list[tuple[Kind, dict[str, Any]]]:
    """What Kubernetes itself would write of the DaemonSets."""
    return [
        (DAEMON_SET, {"metadata": {"name": one.name}, "status": {"numberReady": one.ready, "desiredNumberScheduled": one.wanted}})
        for one in look.running
    ]


@pytest.mark.parametrize("name", ["", *LONGHORN_TROUBLES])
def test_longhorns_objects_are_read_as_they_were_meant(name: str) -> None:
    look = LONGHORN_TROUBLES[name].change(healthy()) if name else healthy()
    # When an object was made its server writes, and nobody else.
    look = replace(look, orphans=tuple(replace(one, seen=None) for one in look.orphans))
    stored = Stored([*longhorn_objects(look), *running(look)])
    assert KubernetesLonghorn(cast("Clients", stored)).look() == look


@pytest.mark.parametrize("name", ["", *ROOK_TROUBLES])
def test_rooks_objects_are_read_as_they_were_meant(name: str) -> None:
    rook = LabRook.healthy(NOW)
    if name:
        ROOK_TROUBLES[name].begin(rook, NOW - ROOK_TROUBLES[name].age_s)
    seen = rook.seen(NOW)
    assert rook_clusters(cast("ApiClient", Stored([*rook_objects(seen)]))) == (seen,)
