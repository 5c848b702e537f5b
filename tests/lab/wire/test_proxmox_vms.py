"""VMs, images and faults through the Proxmox door, as unmodified proxmoxer sees them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from proxmoxer import ResourceException

from lab.world.faults import Fault
from lab.world.pve.access import LabToken
from tests.contract.proxmox.proxmox_doors import HOUSE, IMAGE
from tests.lab.wire.proxmox_bench import VM, Bench


class TestVmsOnTheWire:
    def test_a_config_says_again_what_was_given(self, bench: Bench) -> None:
        api = bench.api()
        disk = "file=local-lvm:8,ssd=on,discard=on,iothread=1"
        upid = api.nodes("pve-1").qemu.post(
            vmid=100,
            name="a",
            tags="b;A,b",
            scsi0=disk,
            efidisk0="local-lvm:0,efitype=4m",
            ide2="none,media=cdrom",
            net0="model=virtio,bridge=vmbr0,firewall=0,macaddr=bc:24:11:00:00:01",
            memory="512",
            onboot=1,
        )
        assert bench.wait(api, upid) == "OK"
        config = api.nodes("pve-1").qemu(100).config.get()
        assert config.pop("digest")
        # What a real host writes besides: a client that compares whole configurations would find drift for ever.
        made_up = {name: str(config.pop(name)) for name in ("smbios1", "vmgenid", "meta")}
        assert made_up["smbios1"].startswith("uuid=")
        assert made_up["meta"].startswith("creation-qemu=")
        assert config == {
            "boot": "order=scsi0;ide2;net0",
            "name": "a",
            "tags": "a;b",
            "memory": "512",
            "onboot": 1,
            "efidisk0": "local-lvm:vm-100-disk-0,efitype=4m,size=4M",
            "scsi0": "local-lvm:vm-100-disk-1,discard=on,iothread=1,size=8G,ssd=1",
            "ide2": "none,media=cdrom",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=0",
        }

    def test_a_card_without_an_address_gets_one(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        assert api.nodes("pve-1").qemu(100).config.get()["net0"].startswith("virtio=BC:24:11:")

    @pytest.mark.parametrize(
        ("slot", "value", "status", "text"),
        [
            ("scsi1", "local-lvm:8,import-from=" + IMAGE, 400, "requires special syntax"),
            ("scsi1", "local-lvm:0,import-from=local:iso/talos.iso", 400, "has wrong type 'iso'"),
            ("scsi1", "local-lvm:0,import-from=/root/talos.raw", 500, "Only root can pass arbitrary filesystem paths"),
            ("ide2", "local:iso/talos.iso", 400, "explicit 'media=cdrom' is required"),
            ("scsi1", "local:8", 500, "does not support content-type 'images'"),
            ("scsi1", "nowhere:8", 500, "storage 'nowhere' does not exist"),
        ],
    )
    def test_disks_that_pve_refuses(self, bench: Bench, slot: str, value: str, status: int, text: str) -> None:
        with pytest.raises(ResourceException, match=text) as caught:
            bench.api().nodes("pve-1").qemu.post(**{**VM, slot: value})
        assert caught.value.status_code == status
        assert bench.pve.vms == {}

    def test_a_config_changes_only_under_the_right_digest(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        vm = api.nodes("pve-1").qemu(100)
        digest = vm.config.get()["digest"]
        assert vm.config.put(description="mine", digest=digest) is None
        with pytest.raises(ResourceException, match="checksum mismatch"):
            vm.config.put(description="yours", digest=digest)
        assert bench.wait(api, vm.resize.put(disk="scsi0", size="20G", digest=digest)).startswith("checksum mismatch")
        vm.config.put(delete="description")
        assert "description" not in vm.config.get()

    def test_ovmf_without_its_disk_starts_with_warnings(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(bios="ovmf", **VM))
        upid = api.nodes("pve-1").qemu(100).status.start.post()
        assert bench.wait(api, upid) == "WARNINGS: 1"
        lines = api.nodes("pve-1").tasks(upid).log.get()
        assert lines[0] == {"n": 1, "t": "WARN: no efidisk configured! Using temporary efivars disk."}

    def test_the_agent_has_three_ways_to_say_no(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        ping = api.nodes("pve-1").qemu(100).agent.ping
        for text in ("No QEMU guest agent configured", "VM 100 is not running", "QEMU guest agent is not running"):
            with pytest.raises(ResourceException, match=text):
                ping.post()
            if text.startswith("No"):
                api.nodes("pve-1").qemu(100).config.put(agent=1)
            elif text.startswith("VM"):
                bench.wait(api, api.nodes("pve-1").qemu(100).status.start.post())

    def test_ids_are_not_reserved(self, bench: Bench) -> None:
        api = bench.api()
        assert [int(api.cluster.nextid.get()) for _ in range(2)] == [100, 100]
        api.nodes("pve-1").qemu.post(**VM)
        assert int(api.cluster.nextid.get()) == 101
        with pytest.raises(ResourceException) as caught:
            api.cluster.nextid.get(vmid=100)
        assert caught.value.errors == {"vmid": "VM 100 already exists"}

    def test_two_workers_on_one_vm_wait_for_each_other(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        vm = api.nodes("pve-1").qemu(100)
        first, second = vm.status.start.post(), vm.status.stop.post()
        assert [bench.wait(api, upid) for upid in (second, first)] == ["OK", "OK"]
        bench.pve.delays.start_s = 60.0
        vm.status.start.post()
        assert (
            bench.wait(api, vm.status.stop.post())
            == "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"
        )

    def test_a_task_can_be_stopped_and_only_its_owner_sees_it(self, bench: Bench) -> None:
        api = bench.api()
        upid = api.nodes("pve-1").qemu.post(**VM)
        bench.pve.access.add_token(LabToken("other@pve!t", "s", rights={"/": frozenset({"VM.Audit"})}))
        other = bench.api("other@pve", token_name="t", token_value="s")
        assert other.nodes("pve-1").tasks.get(source="all") == []
        with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
            other.nodes("pve-1").tasks(upid).status.get()
        (row,) = api.nodes("pve-1").tasks.get(source="active")
        assert (row["upid"], row["user"], row["status"]) == (upid, "blackstart@pve!run", "RUNNING")
        told = api.nodes("pve-1").tasks(upid).status.get()
        assert (told["user"], told["tokenid"], told["status"]) == ("blackstart@pve", "run", "running")
        assert api.nodes("pve-1").tasks(upid).delete() is None
        assert bench.wait(api, upid) == "received interrupt"


class TestImagesOnTheWire:
    def download(self, bench: Bench, **changes: Any) -> Any:
        values = {"content": "import", "filename": "talos.qcow2", "url": HOUSE.image.url} | changes
        return bench.api().nodes("pve-1").storage("local")("download-url").post(**values)

    def test_a_file_is_not_overwritten_without_a_checksum(self, bench: Bench) -> None:
        api = bench.api()
        assert bench.wait(api, self.download(bench)) == "OK"
        assert bench.wait(api, self.download(bench)).startswith("refusing to override existing file")
        assert bench.wait(api, self.download(bench, checksum="00" * 32, **{"checksum-algorithm": "sha256"})).startswith(
            "checksum mismatch: got"
        )

    def test_a_volume_is_found_by_any_spelling_and_deleted(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, self.download(bench))
        base = "/api2/json/nodes/pve-1/storage/local/content/"
        names = ("local:import/talos.qcow2", "local%3Aimport%2Ftalos.qcow2", "import/talos.qcow2")
        sizes = {bench.ask("GET", base + name).json()["data"]["size"] for name in names}
        assert len(sizes) == 1
        upid = bench.ask("DELETE", base + "local:import%2Ftalos.qcow2").json()["data"]
        assert bench.wait(api, upid) == "OK"
        assert api.nodes("pve-1").storage("local").content.get() == []

    def test_metadata_of_a_url(self, bench: Bench) -> None:
        ask = bench.api().nodes("pve-1")("query-url-metadata")
        assert ask.get(url=HOUSE.image.url)["filename"] == "nocloud-amd64.qcow2"
        with pytest.raises(ResourceException, match="invalid server response: '404 Not Found'"):
            ask.get(url=HOUSE.image.url + "x")


class TestFaultsOnTheWire:
    @pytest.mark.parametrize(("fault", "made"), [(Fault.DIE_BEFORE, False), (Fault.DIE_AFTER, True)])
    def test_a_death_calls_the_hook_and_says_nothing(self, bench: Bench, fault: Fault, made: bool) -> None:
        killed: list[str] = []
        bench.pve.world.on_death = killed.append
        bench.pve.world.faults.arm("proxmox.create_vm/100#1", fault)
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.api().nodes("pve-1").qemu.post(**VM)
        assert killed == ["proxmox.create_vm/100"]
        assert (100 in bench.pve.vms) is made

    def test_two_server_errors_then_it_works(self, bench: Bench) -> None:
        bench.pve.world.faults.arm("proxmox.create_vm/*", Fault.ERROR_TWICE)
        api = bench.api()
        for _ in range(2):
            with pytest.raises(ResourceException) as caught:
                api.nodes("pve-1").qemu.post(**VM)
            assert (caught.value.status_code, caught.value.content) == (596, "Connection timed out")
            assert bench.pve.vms == {}
        assert bench.wait(api, api.nodes("pve-1").qemu.post(**VM)) == "OK"
