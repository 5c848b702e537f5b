"""The simulated cluster where no door shows it: rights, space, image files, hosts that go and come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.proxmox.results import TaskRef
from lab.world.disks import GIB, DiskContents, LabStorage
from lab.world.images import make_qcow2, problem, virtual_size
from lab.world.pve.access import PRIVILEGES, Access, LabToken, Refusal, everything
from lab.world.pve.vm import PowerEvent, normal_tags, size_text
from tests.contract.proxmox.proxmox_doors import modelled_door


class TestRights:
    def test_the_nearest_entry_wins_and_rights_go_down(self) -> None:
        access = Access()
        rights = {"/": frozenset({"VM.Audit"}), "/vms": frozenset({"VM.Allocate"}), "/vms/101": frozenset[str]()}
        access.add_token(LabToken("a@pve!t", "s", rights=rights))
        assert access.held("a@pve!t", "/nodes/x") == {"VM.Audit"}
        assert access.held("a@pve!t", "/vms/100") == {"VM.Allocate"}
        assert access.held("a@pve!t", "/vms/101") == frozenset()

    def test_a_separated_token_holds_what_both_were_given(self) -> None:
        access = Access()
        mine, users = {"/": frozenset({"VM.Audit", "VM.Allocate"})}, {"/": frozenset({"VM.Audit", "Sys.Audit"})}
        access.add_token(LabToken("a@pve!t", "s", rights=mine), users)
        access.add_token(LabToken("a@pve!whole", "s", separated=False))
        assert access.held("a@pve!t", "/") == {"VM.Audit"}
        assert access.held("a@pve!whole", "/") == {"VM.Audit", "Sys.Audit"}
        assert access.held("nobody@pve!t", "/") == access.held("nobody@pve", "/") == frozenset()
        assert access.held("root@pam", "/") == everything()["/"] == PRIVILEGES

    def test_a_refusal_names_path_and_privileges(self) -> None:
        with pytest.raises(Refusal, match=r"Permission check failed \(/x, A\|B\)") as caught:
            Access().require("a@pve", "/x", "A", "B")
        assert caught.value.status == 403


class TestSpace:
    def test_thick_disks_take_their_size_and_thin_ones_what_is_written(self) -> None:
        for kind, used in (("lvm", 8 * GIB), ("lvmthin", 0), ("zfspool", 0)):
            storage = LabStorage("s", kind, frozenset({"images"}), 10 * GIB)
            volume = storage.new_disk(100, 8 * GIB, 0.0, DiskContents())
            assert volume is not None
            assert (storage.used, storage.available) == (used, 10 * GIB - used)
            assert storage.grow(volume, 20 * GIB) is (kind != "lvm")

    def test_volumes_are_named_as_proxmox_names_them_and_numbers_are_used_again(self) -> None:
        block, files = (LabStorage("s", kind, frozenset({"images"}), 99 * GIB) for kind in ("lvm", "dir"))
        names = [volume.volume for _ in range(2) if (volume := block.new_disk(100, GIB, 0.0, DiskContents()))]
        assert names == ["s:vm-100-disk-0", "s:vm-100-disk-1"]
        block.free(names[0])
        again, file = block.new_disk(100, GIB, 0.0, DiskContents()), files.new_disk(100, GIB, 0.0, DiskContents())
        assert again is not None and file is not None
        assert (again.volume, file.volume) == ("s:vm-100-disk-0", "s:100/vm-100-disk-0.raw")

    def test_whoever_still_holds_lost_contents_holds_nothing(self) -> None:
        contents = DiskContents("image", {"etcd": "data"})
        contents.lose()
        assert (contents.image, contents.data, contents.lost) == ("", {}, True)


def test_an_image_tells_its_inner_size(tmp_path: Path) -> None:
    assert virtual_size(make_qcow2(5 * GIB, b"x")) == 5 * GIB
    assert problem(make_qcow2(5 * GIB, b"x"), "qcow2") == "" == problem(b"anything", "raw")
    assert make_qcow2(5 * GIB, b"x") != make_qcow2(5 * GIB, b"y")
    assert virtual_size(b"\0" * 512) == 512
    assert virtual_size(b"") is virtual_size(b"<html>404</html>") is virtual_size(b"QFI\xfb cut") is None


@pytest.mark.parametrize(
    ("size", "text"), [(8 * GIB, "8G"), (4 << 20, "4M"), (528 << 10, "528K"), (1 << 40, "1T"), (1000, "1000")]
)
def test_sizes_read_as_proxmox_writes_them(size: int, text: str) -> None:
    assert size_text(size) == text


def test_tags_are_kept_lower_sorted_and_once() -> None:
    assert normal_tags("Talos; blackstart,talos") == "blackstart;talos"


def test_a_host_that_comes_back_starts_what_boots_with_it_once_there_is_quorum() -> None:
    door = modelled_door()
    door.with_vm()
    door.done(door.port.start_vm("pve-1", 8001))
    told: list[PowerEvent] = []
    door.pve.on_power.append(lambda vm, event: told.append(event))
    door.pve.host_down("pve-1")
    door.pve.host_down("pve-2")
    door.pve.host_up("pve-1")
    assert told == [PowerEvent.STOPPED, PowerEvent.STARTED]
    for name in ("pve-1", "pve-3", "pve-4"):
        door.pve.host_down(name)
    door.pve.host_up("pve-1")
    assert told[2:] == [PowerEvent.STOPPED]


class TestDestroying:
    """No port of ours does it; people do, and scenarios."""

    def test_everything_on_its_disks_is_lost(self) -> None:
        door = modelled_door()
        door.with_vm()
        contents = door.pve.vms[8001].guest_disks()[1][1].contents
        contents.data["file"] = "precious"
        task = door.pve.destroy_vm("root@pam", "pve-1", 8001)
        door.done(TaskRef(task.upid, "pve-1"))
        assert door.port.vms() == ()
        assert (contents.lost, contents.data) == (True, {})
        lvm = door.pve.storages.find("pve-1", "local-lvm")
        assert lvm is not None and not lvm.volumes

    def test_a_running_one_is_refused_until_it_is_off(self) -> None:
        door = modelled_door()
        door.with_vm()
        door.done(door.port.start_vm("pve-1", 8001))
        with pytest.raises(Refusal, match="is running - destroy failed"):
            door.pve.destroy_vm("root@pam", "pve-1", 8001)
        for _ in range(2):
            door.done(TaskRef(door.pve.stop_vm("root@pam", "pve-1", 8001).upid, "pve-1"))
        door.done(TaskRef(door.pve.destroy_vm("root@pam", "pve-1", 8001).upid, "pve-1"))
        assert door.port.vms() == ()

    def test_without_quorum_it_fails_and_its_disks_are_gone_all_the_same(self) -> None:
        door = modelled_door()
        door.with_vm()
        contents = door.pve.vms[8001].guest_disks()[1][1].contents
        for host in ("pve-3", "pve-4"):
            door.pve.host_down(host)
        status = door.ended(TaskRef(door.pve.destroy_vm("root@pam", "pve-1", 8001).upid, "pve-1"))
        assert "Permission denied" in status.exit_status
        assert [vm.vm_id for vm in door.port.vms()] == [8001]
        assert contents.lost

    def test_a_locked_one_is_refused_by_the_task(self) -> None:
        door = modelled_door()
        door.with_vm()
        door.pve.vms[8001].lock = "backup"
        status = door.ended(TaskRef(door.pve.destroy_vm("root@pam", "pve-1", 8001).upid, "pve-1"))
        assert status.exit_status == "VM is locked (backup)"
        assert door.pve.vms[8001].drives


class TestStopThenStart:
    def test_the_clean_up_of_a_stop_holds_the_lock_of_a_vm_that_runs_again(self) -> None:
        door = modelled_door()
        door.with_vm()
        door.done(door.port.start_vm("pve-1", 8001))
        door.pve.delays.start_s = 0.2
        stop = door.pve.stop_vm("root@pam", "pve-1", 8001)
        door.sleep(door.pve.delays.stop_s)
        assert not stop.running
        start = door.port.start_vm("pve-1", 8001)
        door.sleep(0.3)
        assert door.port.task(start).ok
        door.sleep(2.0)
        again = TaskRef(door.pve.stop_vm("root@pam", "pve-1", 8001).upid, "pve-1")
        assert door.ended(again).exit_status == "can't lock file '/var/lock/qemu-server/lock-8001.conf' - got timeout"
        door.sleep(door.pve.delays.cleanup_hold_s)
        door.done(TaskRef(door.pve.stop_vm("root@pam", "pve-1", 8001).upid, "pve-1"))

    def test_nobody_holds_anything_of_a_vm_that_stays_off_or_is_started_later(self) -> None:
        door = modelled_door()
        door.with_vm()
        door.done(door.port.start_vm("pve-1", 8001))
        for _ in range(2):
            door.done(TaskRef(door.pve.stop_vm("root@pam", "pve-1", 8001).upid, "pve-1"))
            door.sleep(3.0)
            door.done(door.port.start_vm("pve-1", 8001))
