"""A stranger's whole life of a pool, of a storage and of what is in it at the Proxmox door."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from proxmoxer import ResourceException

from lab.wiring import back_up
from lab.world.pve.vm import LabVm
from tests.lab.wire.proxmox_bench import PASSWORD, Bench
from tests.lab.wire.proxmox_stranger import VM, RefusedError, Stranger


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
    assert ask.volumes("scratch") == [made] and ask.volumes() == ["local-lvm:vm-100-disk-0"]
    ask("DELETE", VM)
    files = {"filename": ("b.iso", b"an iso"), "content": (None, "iso")}
    sent = ask.session.post(f"{bench.url()}/api2/json/nodes/pve-1/storage/scratch/upload", files=files, timeout=10)
    assert sent.status_code == 200
    bench.clock.sleep(2.0)
    assert ask.volumes("scratch") == ["scratch:iso/b.iso"]
    ask("DELETE", f"{content}/{quote('scratch:iso/b.iso', safe='')}")
    ask("DELETE", "/storage/scratch")
    assert "scratch" not in [row["storage"] for row in ask("GET", "/nodes/pve-1/storage")]


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
        ask.ended(sent.json()["data"])
    assert "local:iso/b.iso" not in local.volumes


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
