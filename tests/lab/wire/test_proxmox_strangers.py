"""A stranger's whole life of a VM and of its drives at the Proxmox door, and what a client asks before it begins."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from proxmoxer import ResourceException

from lab.world.disks import LabVolume
from lab.world.pve.vm import LabVm
from tests.contract.proxmox.proxmox_doors import HOUSE
from tests.lab.wire.proxmox_bench import PASSWORD, Bench
from tests.lab.wire.proxmox_stranger import VM, Stranger

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO somebody"
MADE = {
    "vmid": 100, "name": "stranger", "memory": "2048", "cores": 2, "cpu": "x86-64-v2-AES", "bios": "ovmf", "machine": "q35",
    "scsihw": "virtio-scsi-single", "agent": "enabled=1", "efidisk0": "local-lvm:1,efitype=4m,pre-enrolled-keys=True",
    "tpmstate0": "local-lvm:1,version=v2.0", "scsi0": "local-lvm:0,import-from=local:import/a.qcow2,discard=on,ssd=1,",
    "scsi1": "file=local-lvm:8,iothread=1", "ide2": "local-lvm:cloudinit", "ipconfig0": "ip=10.0.0.9/24,gw=10.0.0.1",
    "ciuser": "me", "cipassword": "open", "sshkeys": quote(KEY, safe=""), "net0": "virtio,bridge=vmbr0,firewall=1",
    "boot": "order=scsi0;ide2",
    "net1": "model=e1000,macaddr=bc:24:11:00:00:0A,bridge=vmbr0,tag=7", "tags": "b;a", "onboot": True,
    "serial0": "socket", "vga": "serial0",
}  # fmt: skip


def with_image(ask: Stranger, sha256: str) -> None:
    url = {"url": HOUSE.image.url, "content": "import", "filename": "a.qcow2"}
    ask("POST", "/nodes/pve-1/storage/local/download-url", **url, checksum=sha256, checksum_algorithm="sha256")


def test_a_vm_with_everything_is_made_read_changed_and_destroyed(ask: Stranger, bench: Bench) -> None:
    with_image(ask, bench.sha256)
    ask("POST", "/nodes/pve-1/qemu", **MADE)
    config = ask("GET", f"{VM}/config")
    assert config["scsi0"] == "local-lvm:vm-100-disk-1,discard=on,size=4352M,ssd=1"
    assert config["scsi1"] == "local-lvm:vm-100-disk-2,iothread=1,size=8G"
    assert config["efidisk0"] == "local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1,size=4M"
    assert config["tpmstate0"] == "local-lvm:vm-100-disk-3,size=4M,version=v2.0"
    assert config["ide2"] == "local-lvm:vm-100-cloudinit,media=cdrom"
    assert (config["net1"], config["cipassword"]) == ("e1000=BC:24:11:00:00:0A,bridge=vmbr0,tag=7", "**********")
    assert (config["onboot"], config["tags"], config["sshkeys"]) == (1, "a;b", MADE["sshkeys"])
    assert "cloudinit" in str(ask("GET", f"{VM}/pending"))
    assert {row["key"] for row in ask("GET", f"{VM}/cloudinit")} >= {"ciuser", "ipconfig0", "sshkeys"}

    # Drives and cards come, go and come back.
    assert "digest" in config
    assert "checksum mismatch" in ask.refused("PUT", f"{VM}/config", cores=4, digest="0" * 40)
    ask("PUT", f"{VM}/config", cores=4, digest=config["digest"], scsi2="local-lvm:2", delete="net1,scsi1")
    config = ask("GET", f"{VM}/config")
    assert (config["cores"], config["unused0"], "net1" in config, "scsi1" in config) == (4, "local-lvm:vm-100-disk-2", False, False)
    ask("POST", f"{VM}/config", virtio0="local-lvm:vm-100-disk-2,discard=on")
    config = ask("GET", f"{VM}/config")
    assert config["virtio0"] == "local-lvm:vm-100-disk-2,discard=on,size=8G" and "unused0" not in config
    ask("PUT", f"{VM}/resize", disk="virtio0", size="+1G")
    ask("PUT", f"{VM}/unlink", idlist="scsi2", force=True)
    ask("PUT", f"{VM}/cloudinit")
    assert ask.volumes() == [f"local-lvm:vm-100-{name}" for name in ("cloudinit", "disk-0", "disk-1", "disk-2", "disk-3")]

    # A running one takes what it can, and the rest when it starts again.
    ask("POST", f"{VM}/status/start")
    ask("PUT", f"{VM}/config", memory="4096", name="renamed", ide0="none,media=cdrom")
    assert ask("GET", f"{VM}/config")["memory"] == "4096"
    now = ask("GET", f"{VM}/config", current=1)
    assert (now["memory"], now["name"], "ide0" in now) == ("2048", "renamed", False)
    waiting = {row["key"]: row.get("pending") for row in ask("GET", f"{VM}/pending") if "pending" in row}
    assert waiting == {"memory": "4096", "ide0": "none,media=cdrom"}
    ask("PUT", f"{VM}/config", revert="ide0")
    ask("POST", f"{VM}/status/reboot")
    assert ask("GET", f"{VM}/config", current=1)["memory"] == "4096"
    ask("POST", f"{VM}/status/suspend")
    assert ask("GET", f"{VM}/status/current")["qmpstatus"] == "paused"
    ask("POST", f"{VM}/status/resume")
    assert "is running - destroy failed" in ask.refused("DELETE", VM)
    ask("POST", f"{VM}/status/shutdown", timeout=30)

    # A copy has disks of its own, and both are gone with all they had.
    ask("POST", f"{VM}/clone", newid=101, full=True, name="copy")
    copy = ask("GET", "/nodes/pve-1/qemu/101/config")
    assert (copy["name"], copy["scsi0"]) == ("copy", "local-lvm:vm-101-disk-1,discard=on,size=4352M,ssd=1")
    assert copy["net0"] != config["net0"]
    for vm_id in (100, 101):
        ask("DELETE", f"/nodes/pve-1/qemu/{vm_id}", purge=1, destroy_unreferenced_disks=1)
    assert ask.volumes() == [] and ask("GET", "/nodes/pve-1/qemu") == []


def test_a_protected_one_keeps_its_disks_and_itself(ask: Stranger) -> None:
    ask("POST", "/nodes/pve-1/qemu", vmid=100, scsi0="local-lvm:1", protection=True)
    assert "protection mode enabled" in ask.refused("DELETE", VM)
    assert "protection mode enabled" in ask.refused("PUT", f"{VM}/config", delete="scsi0")
    ask("PUT", f"{VM}/config", delete="protection")
    ask("DELETE", VM)


def test_a_template_is_copied_and_never_started(ask: Stranger, bench: Bench) -> None:
    local = next(each for each in bench.pve.storages.of("pve-1") if each.name == "local")
    local.volumes["local:iso/a.iso"] = LabVolume("local:iso/a.iso", "iso", 3 << 20, 3 << 20, "iso", 0.0)
    ask("POST", "/nodes/pve-1/qemu", vmid=100, scsi0="local-lvm:1", cdrom="local:iso/a.iso,media=cdrom")
    assert ask("GET", f"{VM}/config")["ide2"] == "local:iso/a.iso,media=cdrom,size=3M"
    assert "volume local:iso/b.iso does not exist" in ask.refused("PUT", f"{VM}/config", ide0="local:iso/b.iso,media=cdrom")
    ask("POST", f"{VM}/template")
    assert ask("GET", f"{VM}/status/current")["template"] == 1
    assert "you can't start a vm if it's a template" in ask.refused("POST", f"{VM}/status/start")
    ask("POST", f"{VM}/clone", newid=101, full=True)
    ask("POST", "/nodes/pve-1/qemu/101/status/start")
    assert ask("GET", "/nodes/pve-1/qemu/101/status/current")["status"] == "running"


def test_a_drive_that_is_emptied_is_a_cd_drive_without_being_called_one(ask: Stranger) -> None:
    """`none` and `cdrom` are nothing but that; with an ISO in it the client has to say so."""
    ask("POST", "/nodes/pve-1/qemu", vmid=100, scsi0="local-lvm:1", ide0="none")
    ask("PUT", f"{VM}/config", ide2="none", scsi0="none")
    config = ask("GET", f"{VM}/config")
    assert {config[slot] for slot in ("ide0", "ide2", "scsi0")} == {"none,media=cdrom"}
    assert config["unused0"] == "local-lvm:vm-100-disk-0"


def test_the_hosts_own_drive_is_for_who_may_at_its_console(bench: Bench) -> None:
    token = bench.pve.access.tokens["blackstart@pve!run"]
    drive = {"vmid": 100, "ide2": "cdrom"}
    token.rights = {"/": token.rights["/"] - {"Sys.Console"}}
    with pytest.raises(ResourceException, match=r"Permission check failed \(/, Sys.Console\)"):
        bench.api().nodes("pve-1").qemu.post(**drive)
    token.rights = {"/": token.rights["/"] | {"Sys.Console"}}
    bench.wait(bench.api(), bench.api().nodes("pve-1").qemu.post(**drive))
    assert bench.api().nodes("pve-1").qemu(100).config.get()["ide2"] == "cdrom,media=cdrom"


def test_an_option_that_is_said_to_be_nothing_is_none(ask: Stranger) -> None:
    given = {"tags": "", "cicustom": "", "description": "mine", "nameserver": "192.0.2.1"}
    ask("POST", "/nodes/pve-1/qemu", vmid=100, scsi0="local-lvm:1", **given)
    assert not {"tags", "cicustom"} & ask("GET", f"{VM}/config").keys()
    ask("PUT", f"{VM}/config", description="", nameserver="", ciuser="", cores=2)
    config = ask("GET", f"{VM}/config")
    assert config["cores"] == 2 and not {"description", "nameserver", "ciuser"} & config.keys()
    ask("POST", f"{VM}/status/start")
    ask("PUT", f"{VM}/config", cicustom="", searchdomain="")
    assert [row for row in ask("GET", f"{VM}/pending") if "pending" in row or "delete" in row] == []


def test_a_stop_may_overrule_a_shutdown_that_nobody_hears(bench: Bench) -> None:
    api = bench.api("root@pam", password=PASSWORD)
    bench.wait(api, api.nodes("pve-1").qemu.post(vmid=100, memory=512, scsi0="local-lvm:1", start=1))
    shutdown = api.nodes("pve-1").qemu(100).status.shutdown.post(timeout=300)
    bench.clock.sleep(5.0)
    assert bench.wait(api, api.nodes("pve-1").qemu(100).status.stop.post(**{"overrule-shutdown": 1})) == "OK"
    assert bench.wait(api, shutdown) == "received interrupt"
    assert api.nodes("pve-1").qemu(100).status.current.get()["status"] == "stopped"


@pytest.mark.parametrize("how", ["start", "stop", "shutdown", "reset", "suspend", "resume"])
def test_only_root_may_go_past_a_lock_and_where_that_is_not_modelled_it_is_told(bench: Bench, how: str) -> None:
    bench.pve.vms[100] = LabVm(100, "pve-1", {"name": "locked", "memory": 2048}, {}, {})
    with pytest.raises(ResourceException) as caught:
        bench.api().nodes("pve-1").qemu(100).status(how).post(skiplock=1)
    assert caught.value.errors == {"skiplock": "Only root may use this option."}
    with pytest.raises(ResourceException, match="the lab does not model the parameter skiplock"):
        bench.api("root@pam", password=PASSWORD).nodes("pve-1").qemu(100).status(how).post(skiplock=1)
    assert len(bench.door.unknown) == 1


def test_what_clients_ask_before_they_begin(ask: Stranger) -> None:
    assert ask("GET", "/version") == ask("GET", "/nodes/pve-1/version")
    assert re.fullmatch("[0-9a-f]{8,64}", ask("GET", "/version")["repoid"])
    assert {row["node"] for row in ask("GET", "/nodes")} == {"pve-1", "pve-2", "pve-3", "pve-4"}
    assert all(len(row["ssl_fingerprint"]) == 95 for row in ask("GET", "/nodes"))
    lists = (f"/cluster/ha/{what}" for what in ("resources", "groups", "rules"))
    for path in ("/cluster/backup", *lists, "/access/groups", "/nodes/pve-1/lxc"):
        assert ask("GET", path) == []
    assert "no such resource 'vm:100'" in ask.refused("GET", "/cluster/ha/resources/vm:100")
    assert {"service": "pvestatd", "state": "running"}.items() <= ask("GET", "/nodes/pve-1/services")[4].items()
    assert ask("GET", "/nodes/pve-1/disks/list")[0]["size"] > 800 << 30
    assert "host" in [row["name"] for row in ask("GET", "/nodes/pve-1/capabilities/qemu/cpu")]
    assert "config" in [row["name"] for row in ask("GET", "/nodes/pve-1/qemu/100")]
    assert ask("GET", "/cluster/options")["mac_prefix"] == "BC:24:11"
    assert [row["realm"] for row in ask("GET", "/access/domains")] == ["pam", "pve"]
    assert "PVEVMAdmin" in [row["roleid"] for row in ask("GET", "/access/roles")]
    assert "pve-1" in ask("GET", "/nodes/pve-1/hosts")["data"]
    assert ask("GET", "/nodes/pve-1/subscription")["status"] == "notfound"
    assert list(ask("GET", "/nodes/pve-1/config")) == ["digest"]
    assert "binary not installed" in ask.refused("GET", "/cluster/ceph/status")
