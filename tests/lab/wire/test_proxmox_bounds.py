"""What a VM at the Proxmox door does not get: more than its host has, what is another's or gone, what HA or a lock keeps."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from lab.wiring import back_up
from lab.world.disks import LabStorage
from lab.world.pve.access import LabToken
from lab.world.pve.vm import LabVm
from tests.lab.wire.proxmox_bench import Bench
from tests.lab.wire.proxmox_stranger import VM, Stranger

DISK = "local-lvm:vm-100-disk-0"
OTHER = "/nodes/pve-1/qemu/101"


@pytest.fixture
def ask(bench: Bench) -> Iterator[Stranger]:
    """One stranger with a token, and a VM 100 of two GiB."""
    stranger = Stranger(bench, "json")
    stranger("POST", "/nodes/pve-1/qemu", vmid=100, memory=2048, scsi0="local-lvm:8", net0="virtio,bridge=vmbr0")
    yield stranger
    stranger.session.close()


def last_log(ask: Stranger) -> list[str]:
    return list(next(ask.bench.pve.tasks.of("pve-1")).log)


class TestStarts:
    @pytest.mark.parametrize(
        ("given", "end"),
        [
            ({"cores": 17}, "MAX 16 vcpus allowed per VM on this node"),
            ({"cores": 5, "sockets": 4}, "MAX 16 vcpus allowed per VM on this node"),
            ({"cores": 4, "vcpus": 8}, "maxcpus must be equal to or greater than smp: 4 < 8"),
            ({"memory": 65 << 10}, "cannot set up guest memory 'pc.ram': Cannot allocate memory"),
        ],
    )
    def test_a_vm_that_is_larger_than_its_host_is_made_and_does_not_start(
        self, ask: Stranger, given: dict[str, int], end: str
    ) -> None:
        ask("PUT", f"{VM}/config", **given)
        said = ask.refused("POST", f"{VM}/status/start")
        assert end in said or ("QEMU exited with code 1" in said and any(end in line for line in last_log(ask)))
        assert ask("GET", f"{VM}/status/current")["status"] == "stopped"

    def test_one_that_is_as_large_as_its_host_starts(self, ask: Stranger) -> None:
        ask("PUT", f"{VM}/config", cores=4, sockets=4, vcpus=2, memory=64 << 10)
        ask("POST", f"{VM}/status/start")

    def test_a_vm_whose_disk_is_gone_neither_starts_nor_grows_and_can_be_destroyed(self, ask: Stranger) -> None:
        ask("DELETE", f"/nodes/pve-1/storage/local-lvm/content/{DISK}")
        assert "Failed to find logical volume" in ask.refused("POST", f"{VM}/status/start")
        assert f"Could not determine current size of volume '{DISK}'" in ask.refused(
            "PUT", f"{VM}/resize", disk="scsi0", size="+1G"
        )
        ask("DELETE", VM)

    def test_a_storage_has_to_be_there_and_to_hold_images_at_the_start_too(self, ask: Stranger) -> None:
        (lvm,) = (each for each in ask.bench.pve.storages.of("pve-1") if each.name == "local-lvm")
        content, lvm.content = lvm.content, frozenset({"rootdir"})
        assert "storage 'local-lvm' does not support content-type 'images'" in ask.refused("POST", f"{VM}/status/start")
        lvm.content, lvm.active = content, False
        assert "storage 'local-lvm' is not online" in ask.refused("POST", f"{VM}/status/start")

    @pytest.mark.parametrize("memory", ["1024,", "current=1024,", " ,1024"])
    def test_an_empty_part_of_a_memory_counts_for_nothing(self, ask: Stranger, memory: str) -> None:
        ask("PUT", f"{VM}/config", memory=memory)
        assert ask("GET", f"{VM}/status/current")["maxmem"] == 1 << 30
        assert "balloon value too large" in ask.refused("PUT", f"{VM}/config", balloon=1025)


class TestDisks:
    def test_another_vms_disk_stays_with_it_whatever_is_done_to_who_borrows_it(self, ask: Stranger) -> None:
        ask("POST", "/nodes/pve-1/qemu", vmid=101, scsi0=DISK, scsi1="local-lvm:1")
        ask("PUT", f"{OTHER}/config", delete="scsi0")
        assert not [name for name in ask("GET", f"{OTHER}/config") if name.startswith("unused")]
        ask("PUT", f"{OTHER}/config", scsi0=DISK)
        ask("PUT", f"{OTHER}/unlink", idlist="scsi0", force=1)
        ask("PUT", f"{OTHER}/config", virtio0=DISK)
        ask("DELETE", OTHER)
        assert ask.volumes() == [DISK]
        ask("POST", f"{VM}/status/start")

    def test_who_may_not_change_the_other_vms_disks_gets_none_of_them(self, ask: Stranger) -> None:
        pve = ask.bench.pve
        own = frozenset({"VM.Allocate", "VM.Config.Disk", "VM.Config.Options"})
        rights = {"/vms/101": own, "/storage": frozenset({"Datastore.AllocateSpace", "Datastore.Audit"})}
        pve.access.add_token(LabToken("she@pve!t", "s", rights=rights))
        ask.session.headers["Authorization"] = "PVEAPIToken=she@pve!t=s"
        assert "403 Permission check failed (/vms/100, VM.Config.Disk)" in ask.refused(
            "POST", "/nodes/pve-1/qemu", vmid=101, scsi0=DISK
        )

    @pytest.mark.parametrize(("call", "more"), [("move_disk", {"disk": "scsi0"}), ("clone", {"newid": 101, "full": 1})])
    def test_no_copy_goes_where_no_images_may_be(self, ask: Stranger, call: str, more: dict[str, str | int]) -> None:
        assert "storage 'local' does not support vm images" in ask.refused("POST", f"{VM}/{call}", storage="local", **more)
        assert list(ask.bench.pve.vms) == [100] and ask.volumes() == [DISK]

    def test_a_backup_is_deleted_by_who_may_back_up(self, ask: Stranger) -> None:
        pve = ask.bench.pve
        kept = back_up(pve, LabVm(105, "pve-2", {}, {}, {}), 0.0)
        content = f"/nodes/pve-1/storage/{kept.storage}/content/{quote(kept.volume, safe='')}"
        token = pve.access.tokens["blackstart@pve!run"]
        space = frozenset({"Datastore.AllocateSpace", "Datastore.Audit", "Sys.Audit"})
        token.rights = {"/": space}
        assert "403 Permission check failed (/vms/105, VM.Backup)" in ask.refused("DELETE", content)
        token.rights = {"/": space | {"VM.Backup"}}
        ask("DELETE", content)
        assert next(pve.tasks.of("pve-1")).target == f"105@{kept.storage}"


class TestHa:
    def test_the_manager_is_told_and_switches_it_itself(self, ask: Stranger) -> None:
        vm = ask.bench.pve.vms[100]
        vm.ha = "stopped"
        for how, wanted in (("start", "running"), ("shutdown", "stopped"), ("start", "running"), ("stop", "stopped")):
            told = ask("POST", f"{VM}/status/{how}")
            assert told.split(":")[5] == ("hastart" if how == "start" else "hastop")
            assert ask("GET", f"{VM}/status/current")["status"] != wanted, "the task only tells the manager"
            ask.bench.clock.sleep(15.0)
            ask("GET", "/version")
            ask.bench.clock.sleep(5.0)
            assert ask("GET", f"{VM}/status/current")["status"] == wanted
        assert "Not applicable for HA resources" in ask.refused("POST", f"{VM}/status/stop", overrule_shutdown=1)

    def test_one_that_it_ignores_is_switched_at_once(self, ask: Stranger) -> None:
        ask.bench.pve.vms[100].ha = "ignored"
        assert ":qmstart:" in ask("POST", f"{VM}/status/start")

    def test_it_is_not_destroyed_unless_it_is_taken_out_of_ha(self, ask: Stranger) -> None:
        ask.bench.pve.vms[100].ha = "ignored"
        assert "used in HA resources and purge parameter not set" in ask.refused("DELETE", VM)
        ask("DELETE", VM, purge=1)
        assert ask("GET", "/cluster/ha/resources") == []


def test_what_is_locked_or_stands_still_stays_so(ask: Stranger) -> None:
    vm = ask.bench.pve.vms[100]
    vm.lock = "backup"
    assert "VM is locked (backup)" in ask.refused("POST", f"{VM}/template")
    assert "VM is locked (backup)" in ask.refused("POST", f"{VM}/snapshot", snapname="before")
    vm.lock = ""
    ask("POST", f"{VM}/status/start")
    ask("POST", f"{VM}/status/suspend")
    assert "VM is paused - cannot shutdown" in ask.refused("POST", f"{VM}/status/shutdown")
    assert ask("GET", f"{VM}/status/current")["qmpstatus"] == "paused"
    ask("POST", f"{VM}/status/shutdown", forceStop=1)


def test_a_snapshot_has_a_name_and_fails_only_where_a_disk_has_none(ask: Stranger) -> None:
    for name in ("current", "pending"):
        assert f"unable to use snapshot name '{name}' (reserved name)" in ask.refused(
            "POST", f"{VM}/snapshot", snapname=name
        )
    assert "501 the lab does not model snapshots" in ask.refused("POST", f"{VM}/snapshot", snapname="before")
    ask.bench.pve.storages.add(LabStorage("thick", "lvm", frozenset({"images"}), 99 << 30), "pve-1")
    ask("PUT", f"{VM}/config", scsi1="thick:1")
    assert "snapshot feature is not available" in ask.refused("POST", f"{VM}/snapshot", snapname="before")


def test_a_copy_of_a_running_vm_has_no_room_for_its_tpm(ask: Stranger) -> None:
    ask("PUT", f"{VM}/config", tpmstate0="local-lvm:1,version=v2.0")
    ask("POST", f"{VM}/status/start")
    assert "cannot clone TPM state while VM is running" in ask.refused("POST", f"{VM}/clone", newid=101)


def test_a_host_knows_its_own_tasks_alone(ask: Stranger) -> None:
    (task,) = ask.bench.pve.tasks.of("pve-1")
    other = f"/nodes/pve-2/tasks/{quote(task.upid, safe='')}"
    for method, path in (("GET", f"{other}/status"), ("DELETE", other)):
        assert "no such task" in ask.refused(method, path)
    assert ask("GET", f"{other}/log") == [{"n": 1, "t": "unable to open file - No such file or directory"}]
    for odd in ("UPID:a:b:c:d:e:f:g:", task.upid.replace("UPID:pve-1:", "UPID:pve-:"), task.upid[:-1]):
        assert "unable to parse worker upid" in ask.refused("GET", f"/nodes/pve-1/tasks/{quote(odd, safe='')}/status")


def test_rights_to_a_pool_are_rights_to_what_is_in_it_and_go_no_further(ask: Stranger) -> None:
    pve = ask.bench.pve
    pool = {"/pool/hers": frozenset({"VM.Audit", "VM.PowerMgmt", "Datastore.Audit"})}
    pve.access.add_token(LabToken("she@pve!t", "s", rights=pool))
    ask("POST", "/nodes/pve-1/qemu", vmid=101)
    ask("POST", "/pools", poolid="hers")
    ask("PUT", "/pools/hers", vms="100", storage="local-lvm")
    ask.session.headers["Authorization"] = "PVEAPIToken=she@pve!t=s"
    assert [row["vmid"] for row in ask("GET", "/nodes/pve-1/qemu")] == [100]
    assert [row["storage"] for row in ask("GET", "/nodes/pve-1/storage")] == ["local-lvm"]
    ask("POST", f"{VM}/status/start")
    assert "403" in ask.refused("POST", f"{OTHER}/status/start") and "403" in ask.refused("DELETE", VM)


@pytest.mark.parametrize("size", ["1T", "1.5G", "1MG", "-1G", "+1G", "G", "1 G"])
def test_a_size_of_an_empty_disk_is_a_number_of_kib_or_with_its_unit(ask: Stranger, size: str) -> None:
    content = "/nodes/pve-1/storage/local-lvm/content"
    assert "does not match the regex pattern" in ask.refused("POST", content, vmid=100, filename="vm-100-disk-7", size=size)
    assert ask.volumes() == [DISK]


def test_a_worker_that_is_refused_ends_with_those_words_and_lets_go_of_the_vm(ask: Stranger) -> None:
    """Else whoever asks next, of whatever, is told of it, and the VM is locked for ever."""
    (lvm,) = (each for each in ask.bench.pve.storages.of("pve-1") if each.name == "local-lvm")
    lvm.active = False
    assert ask.refused("PUT", f"{VM}/resize", disk="scsi0", size="+1G") == "storage 'local-lvm' is not online"
    lvm.active = True
    ask("PUT", f"{VM}/resize", disk="scsi0", size="+1G")


def test_a_pool_is_changed_whole_or_not_at_all_and_does_not_go_from_above_another(ask: Stranger) -> None:
    for name in ("a", "a/b"):
        ask("POST", "/pools", poolid=name)
    for more in ({"vms": "100,999"}, {"vms": "100", "storage": "local"}):
        pve = ask.bench.pve
        pve.pools.storages["a"] = {"local"}
        assert "update pools failed" in ask.refused("PUT", "/pools", poolid="a", comment="new", **more)
        assert (pve.vms[100].pool, pve.pools.comments["a"]) == ("", "")
    ask("PUT", "/pools", poolid="a", storage="local", delete=1)
    assert "is not empty (contains pool 'a/b')" in ask.refused("DELETE", "/pools", poolid="a")
    for name in ("a/b", "a"):
        ask("DELETE", "/pools", poolid=name)


def test_a_storage_keeps_what_it_cannot_be_without(ask: Stranger) -> None:
    for name, words in (("type", "no such option 'type'"), ("path", "unable to delete fixed option 'path'")):
        assert words in ask.refused("PUT", "/storage/local", delete=name)
    assert "cannot set and delete property 'content'" in ask.refused("PUT", "/storage/local", content="iso", delete="content")
    ask("PUT", "/storage/local", delete="content")
    assert ask("GET", "/storage/local")["content"] == "images,rootdir"
    assert "valid absolute path" in ask.refused("POST", "/storage", storage="odd", type="dir", path="mnt/x")
