"""The lab's table of parameters: what it refuses and how, and that it says nothing that PVE's own schemas deny."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from lab.wire.proxmox.formats import FREE, NAMED
from lab.wire.proxmox.schema import Schema
from lab.wire.proxmox.table import HERE, Table, published
from lab.wire.proxmox.unmodelled import UNMODELLED
from lab.world.pve.access import Refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.world import World
from tests.contract.proxmox.proxmox_doors import HandClock

SCHEMA = Schema()
PUBLISHED = Path(os.environ.get("BLACKSTART_PVE_API", Path(__file__).parents[3].parent / "shared" / "pve-api"))
CREATE = "POST /nodes/{node}/qemu"
GOOD = {"node": "pve-1", "vmid": "100"}


def refused(call: str, **given: str | list[str]) -> dict[str, str]:
    """The texts per parameter that a call is refused with."""
    with pytest.raises(Refusal) as caught:
        SCHEMA.check(
            call,
            {name.replace("_", "-") if name == "checksum_algorithm" else name: value for name, value in given.items()},
        )
    assert caught.value.status == 400
    return caught.value.errors or {}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("onboot", "True", "type check ('boolean') failed - got 'True'"),
        ("onboot", "yes", "type check ('boolean') failed - got 'yes'"),
        ("cores", "four", "type check ('integer') failed - got 'four'"),
        ("cores", "0", "value must have a minimum value of 1"),
        ("vmid", "99", "invalid format - value does not look like a valid VM ID\n"),
        ("vmid", "1000000000", "invalid format - value does not look like a valid VM ID\n"),
        ("shares", "50001", "value must have a maximum value of 50000"),
        ("bios", "uefi", "value 'uefi' does not have a value in the enumeration 'seabios, ovmf'"),
        ("description", "x" * 8193, "value may only be 8192 characters long"),
        ("name", "not_a_name", "invalid format - value does not look like a valid DNS name\n"),
        ("tags", ["a", "b"], "type check ('string') failed - got ARRAY"),
        (
            "scsi31",
            "local-lvm:1",
            "property is not defined in schema and the schema does not allow additional properties",
        ),
        ("colour", "red", "property is not defined in schema and the schema does not allow additional properties"),
    ],
)
def test_a_bad_value_is_refused_in_pves_words(name: str, value: str | list[str], text: str) -> None:
    given: dict[str, str | list[str]] = {**GOOD, name: value}
    assert refused(CREATE, **given) == {name: text}


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("net0", "virtio=BD:24:11:00:00:01,bridge=vmbr0", "net0.macaddr: invalid format - value does not look"),
        ("net0", "bridge=vmbr0", "net0.model: property is missing"),
        ("scsi0", "local-lvm:1,colour=red", "colour: property is not defined"),
        ("scsi0", "local-lvm:1,iothread=maybe", "iothread: type check ('boolean') failed"),
        ("scsi0", "ssd=1", "file: property is missing"),
        ("efidisk0", "local-lvm:0,efitype=8m", "efidisk0.efitype: value '8m' does not have"),
        ("virtio0", "local-lvm:1,ssd=1", "virtio0.ssd: property is not defined"),
        ("ide0", "local-lvm:1,iothread=1", "ide0.iothread: property is not defined"),
        ("net0", "virtio=BC:24:11:00:00:01,virtio=BC:24:11:00:00:02", "key alias 'model' is already defined"),
        ("net0", "model=virtio,e1000=BC:24:11:00:00:02", "key alias 'model' is already defined"),
        ("scsi0", "local-lvm:1,local-lvm:2", "duplicate key in comma-separated list property: file"),
        ("scsi0", "local-lvm:1,ssd=", "missing key in comma-separated list property"),
        ("ipconfig0", "ip=10.0.0.1", "ipconfig0.ip: invalid format - value does not look like a valid ipv4 network configuration"),
        ("ipconfig0", "gw=10.0.0.1", "ipconfig0.ip: missing property required by 'gw'"),
        ("boot", "order=scsi0;floppy", "boot.order: invalid format - invalid boot device 'floppy'"),
        ("vga", "banana", "vga.type: value 'banana' does not have a value"),
        ("rng0", "source=/dev/null", "rng0.source: value '/dev/null' does not have a value"),
        ("watchdog", "model=dog", "watchdog.model: value 'dog' does not have a value"),
        ("startup", "first", "unable to parse startup options"),
        ("affinity", "1-", "unable to parse cpuset option"),
        ("tags", "a;-b", "invalid characters in tag"),
        ("cdrom", "none,colour=red", "cdrom.colour: property is not defined"),
        ("memory", "current=8", "current: value must have a minimum value of 16"),
    ],
)
def test_property_strings_are_read_to_the_end(name: str, value: str, part: str) -> None:
    assert part in refused(CREATE, **{**GOOD, name: value})[name]


@pytest.mark.parametrize(("word", "value"), [("on", "1"), ("YES", "1"), ("True", "1"), ("off", "0"), ("No", "0"), ("False", "0")])
def test_words_are_booleans_inside_a_property_string_only(word: str, value: str) -> None:
    assert SCHEMA.properties("scsi[n]", f"local-lvm:1,,ssd={word},") == {"file": "local-lvm:1", "ssd": value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ipconfig0", "ip=dhcp,ip6=auto"), ("ipconfig31", "ip=10.0.0.2/24,gw=10.0.0.1,ip6=fd00::2/64,gw6=fd00::1"), ("boot", "cdn"),
        ("boot", "order=scsi0;ide2;net0"), ("cpu", "host,flags=+aes;-pcid"), ("cpu", "cputype=x86-64-v2-AES"),
        ("startup", "1"), ("startup", "order=1,up=2,down=3"), ("hotplug", "0"), ("hotplug", "network,disk,usb,memory,cpu"),
        ("hostpci0", "0000:01:00.0,pcie=1"), ("hostpci0", "mapping=gpu"), ("usb0", "spice"), ("usb0", "host=1234:abcd,usb3=1"),
        ("smbios1", "uuid=11111111-2222-3333-4444-000000008001,base64=1,serial=YQ=="), ("numa0", "cpus=0-1,memory=1024"),
        ("net0", "model=virtio,macaddr=bc:24:11:00:00:01,bridge=vmbr0,tag=5,trunks=1;2-3"),
        ("scsi0", "file=local:0,import-from=local:import/a.raw"),
        ("tpmstate0", "local-lvm:4,version=v2.0"), ("efidisk0", "local-lvm:1,efitype=4m,pre-enrolled-keys=1,format=raw"),
        ("audio0", "device=ich9-intel-hda,driver=none"), ("tags", ""), ("tags", "a,b;c d"), ("nameserver", "10.0.0.1 10.0.0.2"),
        ("sshkeys", "ssh-ed25519%20AAAA%20a"), ("agent", "1,fstrim_cloned_disks=1,type=virtio"),
        ("machine", "pc-q35-9.0+pve1,viommu=virtio"),
        ("cicustom", "user=local:snippets/u.yaml"), ("vmgenid", "1"), ("serial0", "socket"),
        ("scsi0", "local-lvm:8,mbps_rd=10.5,iops=100"),
    ],
)  # fmt: skip
def test_what_a_real_one_takes_is_taken(name: str, value: str) -> None:
    assert name in SCHEMA.check(CREATE, {**GOOD, name: value})


def test_booleans_and_numbers_of_json_are_what_they_say() -> None:
    checked = SCHEMA.check(CREATE, {**GOOD, "onboot": True, "cores": "4"})
    assert (checked["onboot"], checked["cores"]) == (1, 4)
    assert refused(CREATE, **GOOD, cores=True) == {"cores": "type check ('integer') failed - got JSON::PP::Boolean"}  # type: ignore[arg-type]
    assert refused(CREATE, **GOOD, name={"a": 1}) == {"name": "type check ('string') failed - got HASH"}  # type: ignore[arg-type]


def test_what_is_missing_is_named() -> None:
    assert refused(CREATE, node="pve-1") == {"vmid": "property is missing and it is not optional"}
    call = "POST /nodes/{node}/storage/{storage}/download-url"
    given = {"node": "a", "storage": "local", "content": "import", "filename": "f.qcow2", "url": "https://x/f"}
    assert refused(call, **given, checksum="00") == {"checksum-algorithm": "missing property required by 'checksum'"}
    assert refused(call, **given, checksum_algorithm="sha256") == {
        "checksum": "missing property required by 'checksum-algorithm'"
    }


@pytest.mark.parametrize(
    "path",
    [
        "/nodes/a/storage/local/content/local:import/x.qcow2",
        "/nodes/a/storage/local/content/local%3Aimport%2Fx.qcow2",
        "//nodes/a/storage/local/content/local:import%2Fx.qcow2/",
    ],
)
def test_a_volume_in_a_path_may_be_encoded_or_not(path: str) -> None:
    found = SCHEMA.find("DELETE", path)
    assert found is not None
    assert found[1] == {"node": "a", "storage": "local", "volume": "local:import/x.qcow2"}


def test_an_unknown_path_or_method_is_none() -> None:
    assert SCHEMA.find("GET", "/nodes/a/apt") is None
    assert SCHEMA.find("PUT", "/nodes") is None


def at_hand(version: str) -> str:
    """The text of PVE's own schema of a version."""
    file = PUBLISHED / f"{version}.json"
    if not file.exists():
        pytest.skip(f"PVE's published schema is not at {PUBLISHED} (BLACKSTART_PVE_API)")
    return file.read_text()


def test_the_table_says_what_the_published_schema_says() -> None:
    kept = json.loads(HERE.read_text())
    assert Table(published(at_hand("9.2"))).make(list(kept["calls"])) == kept


# Parameters whose type is another in an older version.
OTHER_TYPES = {"8.4": {"POST /nodes/{node}/qemu machine"}, "9.1": set[str]()}


@pytest.mark.parametrize("version", ["8.4", "9.1"])
def test_older_versions_mean_the_same_by_the_same_names(version: str) -> None:
    theirs, problems, seen = published(at_hand(version)), set(), 0
    for call, rules in SCHEMA.calls.items():
        properties = theirs.get(call, {}).get("parameters", {}).get("properties", {})
        for name, rule in rules.items():
            other = properties.get(re.sub(r"\[\d+-\d+\]", "[n]", name))
            in_path = f"{{{name}}}" in call
            if other is not None and not in_path:
                seen += 1
                same = (rule.kind, rule.required) == (other.get("type", "string"), not other.get("optional"))
                problems |= set() if same else {f"{call} {name}"}
    assert seen > 300
    assert problems <= OTHER_TYPES[version]


def test_every_call_of_the_table_is_answered(tmp_path: Path) -> None:
    door = ProxmoxDoor(LabProxmox(World(HandClock())), LabCA(tmp_path), {})
    assert [call for call in SCHEMA.calls if not door.answers(call)] == []
    assert {*UNMODELLED} <= {*SCHEMA.calls}
    assert [name for call, names in UNMODELLED.items() for name in names if name not in SCHEMA.calls[call]] == []


def test_every_named_format_is_checked_or_free_text() -> None:
    rules = [rule for group in (*SCHEMA.calls.values(), *SCHEMA.formats.values()) for rule in group.values()]
    known = {*NAMED, *SCHEMA.formats, *FREE}
    assert {rule.format for rule in rules if rule.format} - known == set()
