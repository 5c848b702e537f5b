"""What every door of the Proxmox port must do: in process, and over HTTPS through proxmoxer and the real adapter."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from adapters.proxmox.meanings import task_failure
from adapters.proxmox.results import DiskSpec, PowerState
from engine.errors import PermanentError, TransientError
from house.values.hardware import Hardware
from lab.world.disks import DiskContents
from lab.world.pve.vm import PowerEvent
from tests.builders import GIB
from tests.contract.proxmox.proxmox_doors import HOUSE, IMAGE, MUTATIONS, TOKEN, Door, a_spec, only_vm


class TestLooking:
    def test_an_empty_house(self, door: Door) -> None:
        cluster = door.port.cluster()
        assert (cluster.name, cluster.quorate, cluster.offline) == ("lab", True, ())
        assert cluster.online == ("pve-1", "pve-2", "pve-3", "pve-4")
        assert cluster.version == "9.1.4"
        assert door.port.vms() == ()
        assert door.port.running_tasks() == ()
        assert door.port.images("pve-1", "local") == ()

    def test_hosts_tell_memory_and_clock(self, door: Door) -> None:
        door.pve.hosts["pve-2"].skew = 300.0
        hosts = {host.name: host for host in door.port.hosts()}
        assert (hosts["pve-1"].memory_total, hosts["pve-1"].memory_free) == (64 * GIB, 62 * GIB)
        assert hosts["pve-1"].cpus == 16
        assert 295 <= hosts["pve-2"].clock - hosts["pve-1"].clock <= 310

    def test_storages_tell_what_they_may_hold(self, door: Door) -> None:
        storages = {storage.name: storage for storage in door.port.storages("pve-3")}
        assert "import" in storages["local"].content
        assert storages["local-lvm"].content == {"images", "rootdir"}
        assert storages["local-lvm"].kind == "lvmthin"
        assert storages["local-lvm"].available == storages["local-lvm"].total == 800 * GIB
        assert storages["local-lvm"].active and not storages["local-lvm"].shared

    def test_a_host_that_is_down_is_named(self, door: Door) -> None:
        door.pve.host_down("pve-4")
        cluster = door.port.cluster()
        assert (cluster.quorate, cluster.offline) == (True, ("pve-4",))
        assert [host.name for host in door.port.hosts()] == ["pve-1", "pve-2", "pve-3"]
        with pytest.raises(TransientError):
            door.port.storages("pve-4")

    def test_a_host_that_does_not_exist(self, door: Door) -> None:
        with pytest.raises(PermanentError, match="hostname lookup 'pve-9' failed"):
            door.port.storages("pve-9")

    def test_a_vm_on_a_host_that_is_down_is_there_but_not_readable(self, door: Door) -> None:
        door.with_vm()
        door.pve.host_down("pve-1")
        vm = only_vm(door)
        assert (vm.vm_id, vm.host, vm.readable, vm.token, vm.power) == (8001, "pve-1", False, "", PowerState.OTHER)

    def test_privileges_the_token_lacks(self, door: Door) -> None:
        token = door.pve.access.tokens[HOUSE.proxmox.token_id]
        token.rights = {"/": frozenset({"Sys.Audit", "VM.Audit"}), "/storage": frozenset({"Datastore.Audit"})}
        wanted = [
            ("/vms", "VM.Allocate"),
            ("/vms", "VM.Audit"),
            ("/storage/local", "Datastore.Audit"),
            ("/nodes", "Sys.Modify"),
        ]
        assert door.port.missing_privileges(wanted) == ("/vms: VM.Allocate", "/nodes: Sys.Modify")

    def test_a_privilege_that_does_not_go_down_is_none_on_all_vms(self, door: Door) -> None:
        """Proxmox leaves what the token may not see out of its lists: held at /vms alone, none of them is seen."""
        token = door.pve.access.tokens[HOUSE.proxmox.token_id]
        token.rights = {}
        token.here = {path: frozenset({"VM.Audit"}) for path in ("/vms", "/vms/8001")}
        wanted = [("/vms", "VM.Audit"), ("/vms/8001", "VM.Audit"), ("/vms/8002", "VM.Audit")]
        assert door.port.missing_privileges(wanted) == ("/vms: VM.Audit", "/vms/8002: VM.Audit")


class TestImages:
    def test_a_download_is_listed_and_costs_space(self, door: Door) -> None:
        ref = door.port.download_image("pve-1", "local", HOUSE.image.filename, door.url, door.sha256)
        assert door.port.task(ref).running
        assert [(task.kind, task.ref) for task in door.port.running_tasks()] == [("download", ref)]
        assert door.port.images("pve-1", "local") == ()
        door.done(ref)
        (image,) = door.port.images("pve-1", "local")
        assert (image.volume, image.content) == (IMAGE, "import")
        (local,) = [storage for storage in door.port.storages("pve-1") if storage.name == "local"]
        assert local.available == local.total - image.size
        assert door.port.images("pve-2", "local") == ()

    def test_a_vms_disks_are_listed_by_its_id_and_no_others(self, door: Door) -> None:
        storage = door.pve.storages.find("pve-1", "local-lvm")
        assert storage is not None
        for vm_id in (8001, 117):
            storage.new_disk(vm_id, GIB, 0.0, DiskContents())
        (disk,) = door.port.left_disks("pve-1", "local-lvm", 8001)
        assert (disk.volume, disk.size, disk.content) == ("local-lvm:vm-8001-disk-0", GIB, "images")
        assert door.port.left_disks("pve-2", "local-lvm", 8001) == ()
        assert door.port.images("pve-1", "local-lvm") == ()

    def test_a_second_download_with_the_same_checksum_is_no_change(self, door: Door) -> None:
        door.with_image()
        door.with_image()
        assert len(door.port.images("pve-1", "local")) == 1

    def test_a_wrong_checksum_leaves_nothing(self, door: Door) -> None:
        status = door.ended(door.port.download_image("pve-1", "local", "talos.qcow2", door.url, "0" * 64))
        assert not status.ok
        assert "checksum mismatch" in status.exit_status
        assert status.log_tail
        assert door.port.images("pve-1", "local") == ()

    def test_a_url_that_is_not_there(self, door: Door) -> None:
        url = door.url.replace("v1.13.9", "v0.0.0")
        status = door.ended(door.port.download_image("pve-1", "local", "talos.qcow2", url, door.sha256))
        assert not status.ok
        assert status.exit_status == "download failed: exit code 8"
        assert "ERROR 404: Not Found" in str(task_failure(status).what)

    def test_what_qemu_does_not_open_is_not_kept(self, door: Door) -> None:
        path = urlsplit(door.url).path
        for content, words in ((b"hello", "Image is not in qcow2 format"), (_cut(door), "L1 table is too small")):
            sha256 = door.pve.images.publish(path, content)
            status = door.ended(door.port.download_image("pve-1", "local", "talos.qcow2", door.url, sha256))
            assert status.exit_status.startswith("failed to verify file: qemu-img: Could not open '/var/lib/vz/import/talos.qcow2")
            assert status.exit_status.endswith(words)
        assert door.port.images("pve-1", "local") == ()

    def test_a_storage_that_may_not_hold_images(self, door: Door) -> None:
        with pytest.raises(PermanentError, match="not a file based storage"):
            door.port.download_image("pve-1", "local-lvm", "talos.qcow2", door.url, door.sha256)
        local = door.pve.storages.find("pve-1", "local")
        assert local is not None
        local.content = frozenset({"iso"})
        with pytest.raises(PermanentError, match="not configured for content-type 'import'"):
            door.port.download_image("pve-1", "local", "talos.qcow2", door.url, door.sha256)

    def test_a_name_that_is_no_image(self, door: Door) -> None:
        with pytest.raises(PermanentError, match="wrong extension"):
            door.port.download_image("pve-1", "local", "talos.raw.xz", door.url, door.sha256)


class TestVms:
    def test_a_vm_is_what_was_asked_for(self, door: Door) -> None:
        spec = door.with_vm()
        vm = only_vm(door)
        assert (vm.vm_id, vm.name, vm.host, vm.token) == (spec.vm_id, spec.name, spec.host, TOKEN)
        assert (vm.cores, vm.memory, vm.macs, vm.bridges) == (spec.cores, spec.memory, (spec.mac,), (spec.bridge,))
        assert (vm.power, vm.lock, vm.agent, vm.tags) == (PowerState.STOPPED, "", False, ("blackstart", "talos"))
        assert [disk.slot for disk in vm.disks] == ["scsi0", "scsi1"]
        assert vm.disks[1].size == 50 * GIB
        assert len({disk.volume for disk in vm.disks}) == 2
        assert vm.digest and vm.readable

    def test_disks_come_in_guest_order(self, door: Door) -> None:
        door.with_image()
        disks = (
            DiskSpec("scsi0", "local-lvm", 20 * GIB, IMAGE),
            *(DiskSpec(f"scsi{n}", "local-lvm", n * GIB) for n in (1, 2, 10)),
        )
        door.done(door.port.create_vm(a_spec(disks=disks, hardware=Hardware(agent=True))))
        vm = only_vm(door)
        assert [disk.slot for disk in vm.disks] == ["scsi0", "scsi1", "scsi2", "scsi10"]
        assert vm.agent

    def test_an_imported_disk_has_its_images_size_until_it_is_grown(self, door: Door) -> None:
        spec = door.with_vm()
        assert only_vm(door).disks[0].size < spec.disks[0].size
        door.done(door.port.grow_disk("pve-1", 8001, "scsi0", spec.disks[0].size))
        assert only_vm(door).disks[0].size == spec.disks[0].size
        door.done(door.port.grow_disk("pve-1", 8001, "scsi0", spec.disks[0].size))
        assert "shrinking" in door.ended(door.port.grow_disk("pve-1", 8001, "scsi0", 5 * GIB)).exit_status

    def test_while_it_is_made_it_is_locked(self, door: Door) -> None:
        door.with_image()
        ref = door.port.create_vm(a_spec())
        assert only_vm(door).lock == "create"
        assert [task.kind for task in door.port.running_tasks()] == ["qmcreate"]
        # Proxmox waits five seconds for whoever is at it, and here that is not enough.
        with pytest.raises(TransientError, match=r"unable to create VM 8001 - can't lock file .* - got timeout"):
            door.port.create_vm(a_spec())
        grown = door.port.grow_disk("pve-1", 8001, "scsi0", 20 * GIB)
        door.done(ref)
        assert only_vm(door).lock == ""
        door.done(grown)  # it waited for the lock, and was done after all
        assert only_vm(door).disks[0].size == 20 * GIB

    def test_what_is_asked_too_early_of_a_slow_import_ends_by_the_lock(self, door: Door) -> None:
        door.with_image()
        door.pve.delays.import_s = 25.0
        made = door.port.create_vm(a_spec())
        for early in (door.port.grow_disk("pve-1", 8001, "scsi0", 20 * GIB), door.port.start_vm("pve-1", 8001)):
            status = door.ended(early)
            assert status.exit_status == "can't lock file '/var/lock/qemu-server/lock-8001.conf' - got timeout"
            assert isinstance(task_failure(status), TransientError)
        door.done(made)

    @pytest.mark.parametrize("method", ["start_vm", "grow_disk"])
    def test_a_locked_vm_is_refused_by_the_task(self, door: Door, method: str) -> None:
        door.with_vm()
        door.pve.vms[8001].lock = "backup"
        status = door.ended(MUTATIONS[method](door))
        assert status.exit_status == "VM is locked (backup)"
        assert isinstance(task_failure(status), TransientError)

    def test_the_same_id_twice_is_refused_and_changes_nothing(self, door: Door) -> None:
        door.with_vm()
        before = only_vm(door)
        with pytest.raises(PermanentError, match="VM 8001 already exists on node 'pve-1'"):
            door.port.create_vm(a_spec(host="pve-2"))
        assert only_vm(door) == before

    def test_an_image_that_is_not_there_leaves_no_vm(self, door: Door) -> None:
        status = door.ended(door.port.create_vm(a_spec()))
        assert not status.ok
        assert status.exit_status == f"unable to create VM 8001 - failed to stat '/var/lib/vz/import/{HOUSE.image.filename}'"
        assert door.port.vms() == ()

    def test_a_disk_that_does_not_fit_leaves_no_vm_and_no_disk(self, door: Door) -> None:
        door.with_image()
        lvm = door.pve.storages.find("pve-1", "local-lvm")
        assert lvm is not None
        lvm.total, lvm.kind = 30 * GIB, "lvm"
        assert "free space" in door.ended(door.port.create_vm(a_spec())).exit_status
        assert door.port.vms() == ()
        assert lvm.used == 0

    def test_a_storage_that_does_not_exist(self, door: Door) -> None:
        with pytest.raises(PermanentError, match="storage 'nvme' does not exist"):
            door.port.create_vm(a_spec(disks=(DiskSpec("scsi0", "nvme", 20 * GIB),)))

    def test_power_reaches_the_hooks(self, door: Door) -> None:
        told: list[tuple[str, PowerEvent]] = []
        door.pve.on_power.append(lambda vm, event: told.append((vm.macs[0], event)))
        spec = door.with_vm()
        door.done(door.port.start_vm("pve-1", 8001))
        assert only_vm(door).power is PowerState.RUNNING
        assert not door.ended(door.port.start_vm("pve-1", 8001)).ok
        door.pve.power(door.pve.vms[8001], PowerEvent.STOPPED)
        assert only_vm(door).power is PowerState.STOPPED
        assert told == [(spec.mac, event) for event in (PowerEvent.STARTED, PowerEvent.STOPPED)]

    def test_a_bridge_that_is_not_there_fails_the_start(self, door: Door) -> None:
        door.with_image()
        door.done(door.port.create_vm(a_spec(bridge="vmbr9")))
        status = door.ended(door.port.start_vm("pve-1", 8001))
        assert status.exit_status == "bridge 'vmbr9' does not exist"

    def test_a_vm_on_another_host_does_not_exist_here(self, door: Door) -> None:
        door.with_vm()
        with pytest.raises(PermanentError, match="does not exist"):
            door.port.start_vm("pve-2", 8001)


class TestOwnerMark:
    @pytest.mark.parametrize("description", ["", "somebody else's", "the next one is blackstart:5f1d7c2a9e:cp-2"])
    def test_text_without_a_line_of_ours_is_no_mark(self, door: Door, description: str) -> None:
        door.with_vm()
        door.pve.vms[8001].options["description"] = description
        assert only_vm(door).token == ""

    def test_text_around_the_mark_does_no_harm(self, door: Door) -> None:
        door.with_vm()
        described = str(door.pve.vms[8001].options["description"])
        door.pve.vms[8001].options["description"] = (
            f"# cp-1\n\nhas the GPU: do not move\n{described}\nasked blackstart: no answer\n"
        )
        assert only_vm(door).token == TOKEN


def _cut(door: Door) -> bytes:
    """The published image with an L1 table of one entry, as the lab had it once."""
    whole = bytearray(door.pve.images.get(urlsplit(door.url).path) or b"")
    whole[36:40] = (1).to_bytes(4, "big")
    return bytes(whole)
