"""Backups of a VM at both doors of the Proxmox port: what is there is listed, and what may not be seen is told, never left out."""

from __future__ import annotations

import pytest

from adapters.proxmox.results import VmBackup
from lab.wiring import back_up
from lab.world.disks import LabStorage, LabVolume
from lab.world.pve.vm import LabVm
from tests.builders import GIB
from tests.contract.proxmox.proxmox_doors import HOUSE, Door

NOW = 1_800_000_000.0
VM = LabVm(105, "pve-2", {"name": "nas"}, {}, {})


@pytest.fixture(autouse=True)
def bare(door: Door) -> None:
    """No storage holds backups yet."""
    for host in door.pve.hosts:
        for storage in door.pve.storages.of(host):
            storage.content -= {"backup"}


def local(door: Door, host: str, made: float, vm_id: int = 105) -> str:
    """A backup of vzdump on a storage of this host's own."""
    if door.pve.storages.find(host, "dumps") is None:
        door.pve.storages.add(LabStorage("dumps", "dir", frozenset({"backup", "iso"}), 100 * GIB), host)
    storage = door.pve.storages.find(host, "dumps")
    assert storage is not None
    name = f"dumps:backup/vzdump-qemu-{vm_id}-{int(made)}.vma.zst"
    storage.volumes[name] = LabVolume(name, "backup", GIB, GIB, "vma.zst", made, vm_id)
    return name


def test_those_of_the_vm_are_listed_the_oldest_first_and_a_shared_storage_is_asked_once(door: Door) -> None:
    newer = back_up(door.pve, VM, NOW - 60).volume
    back_up(door.pve, LabVm(106, "pve-2", {}, {}, {}), NOW)
    older = local(door, "pve-3", NOW - 7200)
    local(door, "pve-3", NOW, vm_id=106)
    seen = door.port.backups(105)
    assert seen.found == (VmBackup(older, NOW - 7200, GIB), VmBackup(newer, NOW - 60, GIB, "ok"))
    assert (seen.listed, seen.unseen) == (("pbs", "dumps of pve-3"), ())


def test_where_no_storage_holds_backups_none_was_listed(door: Door) -> None:
    seen = door.port.backups(105)
    assert (seen.found, seen.listed, seen.unseen) == ((), (), ())


@pytest.mark.parametrize(("path", "lacks"), [("/vms/105", "VM.Backup"), ("/storage/pbs", "Datastore.AllocateSpace")])
def test_a_token_that_may_not_see_them_is_told_and_is_no_empty_list(door: Door, path: str, lacks: str) -> None:
    back_up(door.pve, VM, NOW)
    token = door.pve.access.tokens[HOUSE.proxmox.token_id]
    token.rights = {
        "/": frozenset({"Sys.Audit", "VM.Audit", "Datastore.Audit"}), "/vms/105": frozenset({"VM.Audit", "VM.Backup"}),
        "/storage/pbs": frozenset({"Datastore.Audit", "Datastore.AllocateSpace"}),
    }  # fmt: skip
    assert len(door.port.backups(105).found) == 1
    token.rights[path] -= {lacks}
    seen = door.port.backups(105)
    assert (seen.found, seen.listed) == ((), ())
    assert seen.unseen == (f"pbs: the token may not see backups there ({path}: {lacks})",)


def test_hosts_and_storages_that_are_away_are_told(door: Door) -> None:
    back_up(door.pve, VM, NOW)
    local(door, "pve-4", NOW)
    storage = door.pve.storages.find("pve-4", "dumps")
    assert storage is not None
    storage.active = False
    assert door.port.backups(105).unseen == ("dumps of pve-4: not active",)
    door.pve.host_down("pve-4")
    seen = door.port.backups(105)
    assert (len(seen.found), seen.listed) == (1, ("pbs",))
    assert seen.unseen == ("pve-4 is offline, and so is what is on its own storages",)
