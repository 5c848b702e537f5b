"""A stranger's whole life of a VM, an image, a pool, a storage and an account at the Proxmox door.

Asked by forms with a ticket, as providers for Terraform send them, by JSON with a token, as clients in Go do, and by proxmoxer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from proxmoxer import ResourceException

from lab.wiring import back_up
from lab.world.disks import LabVolume
from lab.world.pve.vm import LabVm
from tests.contract.proxmox_doors import HOUSE
from tests.lab.wire.proxmox_bench import PASSWORD, SECRET, Bench

Ask = Callable[..., Any]
VM = "/nodes/pve-1/qemu/100"
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


class Stranger:
    """One way of asking: `sent` is how a body goes out."""

    def __init__(self, bench: Bench, sent: str) -> None:
        self.bench, self.sent = bench, sent
        self.session = requests.Session()
        self.session.verify = str(bench.ca.ca_file)
        self.session.trust_env = False  # else a bundle of the machine's own would be asked instead
        if sent == "json":
            self.session.headers["Authorization"] = f"PVEAPIToken=blackstart@pve!run={SECRET}"
        else:
            made = self("POST", "/access/ticket", username="root@pam", password=PASSWORD)
            self.session.cookies.set("PVEAuthCookie", made["ticket"])
            self.session.headers["CSRFPreventionToken"] = made["CSRFPreventionToken"]

    def __call__(self, method: str, path: str, /, **given: Any) -> Any:
        """The answer's data, a task's once it has ended well; RefusedError with status and reason else."""
        given = {name.replace("_", "-") if name != "background_delay" else name: value for name, value in given.items()}
        if method in ("GET", "DELETE"):
            how: dict[str, Any] = {"params": given}
        elif self.sent == "json":
            how = {"json": given}
        else:
            how = {"data": {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}}
        answer = self.session.request(method, f"{self.bench.url()}/api2/json{path}", timeout=10, **how)
        if answer.status_code != 200:
            raise RefusedError(f"{answer.status_code} {answer.reason} {answer.text}")
        data = answer.json()["data"]
        if isinstance(data, str) and data.startswith("UPID:"):
            self._ended(data)
        return data

    def _ended(self, upid: str) -> None:
        path = f"/nodes/{upid.split(':')[1]}/tasks/{quote(upid, safe='')}/status"
        while (status := self("GET", path))["status"] == "running":
            self.bench.clock.sleep(1.0)
        if status["exitstatus"] != "OK":
            raise RefusedError(status["exitstatus"])

    def refused(self, method: str, path: str, /, **given: Any) -> str:
        """What a call is refused with."""
        with pytest.raises(RefusedError) as caught:
            self(method, path, **given)
        return str(caught.value)


class RefusedError(Exception):
    """The door said no."""


@pytest.fixture(params=["form", "json"])
def ask(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Stranger]:
    stranger = Stranger(bench, request.param)
    yield stranger
    stranger.session.close()
    assert bench.door.unknown == []


def with_image(ask: Ask, sha256: str) -> None:
    url = {"url": HOUSE.image.url, "content": "import", "filename": "a.qcow2"}
    ask("POST", "/nodes/pve-1/storage/local/download-url", **url, checksum=sha256, checksum_algorithm="sha256")


def volumes(ask: Ask, storage: str = "local-lvm") -> list[str]:
    return [row["volid"] for row in ask("GET", f"/nodes/pve-1/storage/{storage}/content")]


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
    assert volumes(ask) == [f"local-lvm:vm-100-{name}" for name in ("cloudinit", "disk-0", "disk-1", "disk-2", "disk-3")]

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
    assert volumes(ask) == [] and ask("GET", "/nodes/pve-1/qemu") == []


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


def test_a_pool_and_what_is_in_it(ask: Stranger) -> None:
    ask("POST", "/pools", poolid="lab", comment="of a stranger")
    ask("POST", "/nodes/pve-1/qemu", vmid=100, pool="lab")
    ask("PUT", "/pools/lab", storage="local-lvm", comment="another")
    pool = ask("GET", "/pools/lab")
    assert pool["comment"] == "another"
    assert {row["id"] for row in pool["members"]} >= {"qemu/100", "storage/pve-1/local-lvm"}
    assert "already a pool member" in ask.refused("PUT", "/pools/lab", vms="100")
    assert "is not empty (contains VMID 100)" in ask.refused("DELETE", "/pools/lab")
    ask("PUT", "/pools/lab", vms="100", storage="local-lvm", delete=1)
    ask("DELETE", "/pools/lab")
    assert "does not exist" in ask.refused("GET", "/pools/lab") and ask("GET", "/pools") == []
    ask("DELETE", VM)


def test_a_storage_and_its_content(ask: Stranger, bench: Bench) -> None:
    ask("POST", "/storage", storage="scratch", type="dir", path="/mnt/scratch", content="images,import")
    ask("PUT", "/storage/scratch", content="images,import,iso", nodes="pve-1")
    assert ask("GET", "/storage/scratch")["content"] == "images,import,iso"
    content = "/nodes/pve-1/storage/scratch/content"
    made = ask("POST", content, vmid=100, filename="vm-100-disk-0.qcow2", size="2G")
    assert made == "scratch:100/vm-100-disk-0.qcow2"
    assert "already exists" in ask.refused("POST", content, vmid=100, filename="vm-100-disk-0.qcow2", size="2G")
    volume = ask("GET", f"{content}/{quote(made, safe='')}")
    assert (volume["size"], volume["format"], volume["path"]) == (2 << 30, "qcow2", "/mnt/scratch/images/100/vm-100-disk-0.qcow2")
    ask("POST", "/nodes/pve-1/qemu", vmid=100, scsi0=made, scsi1="scratch:1,format=qcow2")
    assert ask("GET", f"{VM}/config")["scsi1"] == "scratch:100/vm-100-disk-1.qcow2,size=1G"
    ask("POST", f"{VM}/move_disk", disk="scsi1", storage="local-lvm", delete=1)
    assert volumes(ask, "scratch") == [made] and volumes(ask) == ["local-lvm:vm-100-disk-0"]
    ask("DELETE", VM)
    files = {"filename": ("b.iso", b"an iso"), "content": (None, "iso")}
    sent = ask.session.post(f"{bench.url()}/api2/json/nodes/pve-1/storage/scratch/upload", files=files, timeout=10)
    assert sent.status_code == 200
    bench.clock.sleep(2.0)
    assert volumes(ask, "scratch") == ["scratch:iso/b.iso"]
    ask("DELETE", f"{content}/{quote('scratch:iso/b.iso', safe='')}")
    ask("DELETE", "/storage/scratch")
    assert "scratch" not in [row["storage"] for row in ask("GET", "/nodes/pve-1/storage")]


def test_who_may_something_is_on_the_access_list_and_keeps_it_when_given_more(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    names = {row["ugid"]: row["roleid"] for row in root.access.acl.get() if row["path"] == "/"}
    assert names == {"blackstart@pve": "Administrator", "blackstart@pve!run": "Administrator"}
    before = bench.api().access.permissions.get()
    root.access.acl.put(path="/", tokens="blackstart@pve!run", roles="PVEAuditor")
    assert bench.api().access.permissions.get() == before
    root.access.acl.put(path="/", tokens="blackstart@pve!run", roles="Administrator", delete=1)
    assert "VM.Allocate" not in bench.api().access.permissions.get()["/"]
    assert "VM.Audit" in bench.api().access.permissions.get()["/"]


def test_an_account_may_what_it_was_given_and_no_more(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    before = root.access.acl.get()
    root.access.roles.post(roleid="Looker", privs="VM.Audit,Datastore.Audit")
    root.access.users.post(userid="she@pve", password="opensesame", comment="a guest")
    with pytest.raises(ResourceException, match="does not match the regex pattern"):
        root.access.users("she@pve").token("t").post()
    made = root.access.users("she@pve").token("tk").post(privsep=1)
    root.access.acl.put(path="/vms", users="she@pve", tokens="she@pve!tk", roles="Looker")
    her = bench.api("she@pve", token_name="tk", token_value=made["value"])
    assert her.access.permissions.get() == {"/vms": {"Datastore.Audit": 1, "VM.Audit": 1}}
    with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
        her.nodes("pve-1").status.get()
    root.access.roles("Looker").put(privs="Sys.Audit", append=1)
    root.access.acl.put(path="/nodes", users="she@pve", tokens="she@pve!tk", roles="Looker", propagate=1)
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16
    assert {row["path"] for row in root.access.acl.get()} == {"/", "/vms", "/nodes"}
    root.access.users("she@pve").token("tk").delete()
    root.access.users("she@pve").delete()
    with pytest.raises(ResourceException, match="no such user"):
        root.access.users("she@pve").get()
    assert root.access.acl.get() == before
    assert bench.door.unknown == []


def test_who_is_in_a_group_may_what_it_may_but_for_its_own_rights(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    root.access.groups.post(groupid="admins", comment="of the house")
    root.access.groups.post(groupid="lookers")
    with pytest.raises(ResourceException, match="create group failed: group 'admins' already exists"):
        root.access.groups.post(groupid="admins")
    with pytest.raises(ResourceException, match="create user failed: no such group 'none'"):
        root.access.users.post(userid="she@pve", password="opensesame", groups="none")
    root.access.users.post(userid="she@pve", password="opensesame", groups="admins")
    root.access.users("she@pve").put(groups="lookers", append=1)
    assert root.access.users("she@pve").get()["groups"] == ["admins", "lookers"]
    full = {row["userid"]: row for row in root.access.users.get(full=1)}
    assert full["she@pve"]["groups"] == "admins,lookers"
    assert [token["tokenid"] for token in full["blackstart@pve"]["tokens"]] == ["run"]
    assert root.access.groups.get() == [
        {"groupid": "admins", "users": "she@pve", "comment": "of the house"}, {"groupid": "lookers", "users": "she@pve"},
    ]  # fmt: skip

    root.access.acl.put(path="/vms", groups="admins", roles="PVEVMAdmin")
    root.access.acl.put(path="/", groups="lookers", roles="PVEAuditor")
    assert {"path": "/vms", "ugid": "admins", "type": "group", "roleid": "PVEVMAdmin", "propagate": 1} in root.access.acl.get()
    her = bench.api("she@pve", password="opensesame")
    held = her.access.permissions.get()
    assert "VM.Allocate" in held["/vms"] and "VM.Allocate" not in held["/nodes"] and held["/nodes"]["Sys.Audit"] == 1
    root.access.acl.put(path="/vms", users="she@pve", roles="PVETemplateUser")
    assert set(her.access.permissions.get(path="/vms")["/vms"]) == {"VM.Audit", "VM.Clone"}, "its own go before its groups'"
    with pytest.raises(ResourceException, match="group 'none' does not exist"):
        root.access.acl.put(path="/", groups="none", roles="PVEAuditor")

    root.access.users("she@pve").put(groups="admins")
    assert "/nodes" not in her.access.permissions.get()
    root.access.groups("admins").put(comment="")
    assert root.access.groups("admins").get() == {"members": ["she@pve"]}
    root.access.groups("admins").delete()
    assert "admins" not in {row["ugid"] for row in root.access.acl.get()}
    with pytest.raises(ResourceException, match="group 'admins' does not exist"):
        root.access.groups("admins").get()
    root.access.users("she@pve").delete()
    assert root.access.groups("lookers").get() == {"members": []}
    assert bench.door.unknown == []


def test_who_is_disabled_or_past_its_end_is_let_in_no_more(bench: Bench) -> None:
    root, now = bench.api("root@pam", password=PASSWORD), int(bench.clock.now())
    root.access.users.post(userid="she@pve", password="opensesame", expire=now + 100)
    made = root.access.users("she@pve").token("tk").post(privsep=0, expire=now + 50)
    she = root.access.users("she@pve")

    def let_in() -> tuple[bool, bool]:
        header = {"Authorization": f"PVEAPIToken=she@pve!tk={made['value']}"}
        asked = bench.ask("GET", "/api2/json/version", headers=header)
        assert asked.status_code == 200 or (asked.status_code, asked.reason) == (401, "Authentication failed!")
        form = {"username": "she@pve", "password": "opensesame"}
        login = bench.ask("POST", "/api2/json/access/ticket", headers={"Authorization": ""}, data=form)
        return asked.status_code == 200, login.status_code == 200

    assert let_in() == (True, True)
    bench.clock.sleep(60)
    assert let_in() == (False, True)
    she.token("tk").put(expire=0)
    assert let_in() == (True, True)
    she.put(enable=0)
    assert let_in() == (False, False)
    she.put(enable=1)
    assert let_in() == (True, True)
    bench.clock.sleep(60)
    assert let_in() == (False, False)


def test_a_ticket_may_come_where_a_token_does_and_still_needs_its_other_half(bench: Bench) -> None:
    form = {"username": "root@pam", "password": PASSWORD}
    made = bench.ask("POST", "/api2/json/access/ticket", headers={"Authorization": ""}, data=form).json()["data"]
    ticket, other = f"PVEAuthCookie={made['ticket']}", {"CSRFPreventionToken": made["CSRFPreventionToken"]}
    quoted = f"PVEAuthCookie={quote(made['ticket'], safe='')}"

    def asked(method: str, **headers: str) -> tuple[int, str]:
        answer = bench.ask(method, "/api2/json/pools", headers=headers, data={"poolid": "x"} if method == "POST" else None)
        return answer.status_code, answer.reason

    assert asked("GET", Authorization=ticket) == asked("GET", Authorization=quoted) == (200, "OK")
    assert asked("GET", Authorization="", Cookie=f"lang=en; {ticket}; x=y") == (200, "OK")
    assert asked("POST", Authorization=ticket) == (401, "Permission denied - invalid csrf token")
    assert asked("POST", Authorization=ticket, **other) == (200, "OK")
    assert asked("GET", Authorization="PVEAuthCookie=PVE:root@pam:0::x") == (401, "permission denied - invalid PVE ticket")
    assert asked("GET", Authorization="") == asked("GET", Authorization="Basic x") == (401, "No ticket")


def test_a_backup_keeps_what_is_said_of_it_and_a_protected_one_stays(bench: Bench) -> None:
    api = bench.api("root@pam", password=PASSWORD)
    kept = back_up(bench.pve, LabVm(105, "pve-2", {}, {}, {}), bench.clock.now())
    content = api.nodes("pve-1").storage(kept.storage).content
    content(kept.volume).put(notes="before the move", protected=1)
    (row,) = [row for row in content.get(content="backup") if row["volid"] == kept.volume]
    assert (row["notes"], row["protected"]) == ("before the move", 1)
    with pytest.raises(ResourceException, match="cannot remove protected volume"):
        content(kept.volume).delete()
    content(kept.volume).put(protected=0)
    assert bench.wait(api, content(kept.volume).delete()) == "OK"


def test_a_role_that_does_not_go_down_holds_at_its_path_alone(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    root.access.users.post(userid="she@pve", password="opensesame")
    made = root.access.users("she@pve").token("tk").post(privsep=0)
    her = bench.api("she@pve", token_name="tk", token_value=made["value"])
    root.access.acl.put(path="/nodes", users="she@pve", roles="PVEAuditor", propagate=0)
    assert set(her.access.permissions.get(path="/nodes")["/nodes"].values()) == {0}
    with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
        her.nodes("pve-1").status.get()
    root.access.acl.put(path="/", users="she@pve", roles="PVEAuditor")
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16
    root.access.acl.put(path="/", users="she@pve", roles="PVEAuditor", delete=1)
    root.access.acl.put(path="/nodes", users="she@pve", roles="PVEAuditor", propagate=1)
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16


@pytest.mark.parametrize("kind", [{"type": "dir", "path": "/mnt/x"}, {"type": "nfs", "server": "nas", "export": "/x"}])
def test_a_storage_is_on_the_hosts_that_it_names_now_and_keeps_what_it_has(bench: Bench, kind: dict[str, str]) -> None:
    api = bench.api("root@pam", password=PASSWORD)
    api.storage.post(storage="some", content="images", nodes="pve-1,pve-2", **kind)

    def seen() -> list[str]:
        return [host for host in bench.pve.hosts if "some" in {row["storage"] for row in api.nodes(host).storage.get()}]

    assert seen() == ["pve-1", "pve-2"]
    made = api.nodes("pve-1").storage("some").content.post(vmid=100, filename="vm-100-disk-0.raw", size="1G")
    api.storage("some").put(nodes="pve-3")
    assert seen() == ["pve-3"]
    with pytest.raises(ResourceException, match="storage 'some' is not available on node 'pve-1'"):
        api.nodes("pve-1").storage("some").content.get()
    api.storage("some").put(delete="nodes")
    assert seen() == list(bench.pve.hosts)
    assert [row["volid"] for row in api.nodes("pve-1").storage("some").content.get()] == [made]


def test_what_is_shared_by_its_kind_says_so_and_nothing_becomes_shared_in_silence(bench: Bench) -> None:
    api = bench.api()
    api.storage.post(storage="nas", type="nfs", server="nas", export="/x")
    api.storage.post(storage="own", type="dir", path="/mnt/x")
    rows = {row["storage"]: row for row in api.storage.get()}
    assert rows["nas"]["shared"] == 1 and "shared" not in rows["own"]
    api.storage("nas").put(shared=1)
    with pytest.raises(ResourceException, match="the lab does not model a storage that becomes shared"):
        api.storage("own").put(shared=1)


def test_an_upload_that_is_larger_than_what_is_left_is_not_kept(ask: Stranger, bench: Bench) -> None:
    local = next(each for each in bench.pve.storages.of("pve-1") if each.name == "local")
    local.total = local.used + 3
    files = {"filename": ("b.iso", b"an iso"), "content": (None, "iso")}
    sent = ask.session.post(f"{bench.url()}/api2/json/nodes/pve-1/storage/local/upload", files=files, timeout=10)
    with pytest.raises(RefusedError, match="No space left on device"):
        ask._ended(sent.json()["data"])
    assert "local:iso/b.iso" not in local.volumes


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
