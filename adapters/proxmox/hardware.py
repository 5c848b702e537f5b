"""What a VM's configuration says of its hardware, in the words of house/values/hardware.py, and what has no words there.

Where an option is absent, what Proxmox does unasked is what the VM has (qemu-server's defaults): kvm64, i440fx, SeaBIOS, lsi.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from adapters.proxmox.properties import number, properties, tags, text
from house.files.grammar import number_of
from house.values.hardware import MODEL, Card, Hardware, Passthrough

MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
# What every VM has, or what makes no machine; and what has words: disks, cards, devices, and the options read below.
_TOLD_ELSEWHERE = frozenset({
    "name", "description", "digest", "meta", "vmgenid", "smbios1", "lock", "parent", "snapstate", "ostype", "onboot",
    "tablet", "hotplug", "boot", "bootdisk", "memory", "balloon", "cores", "sockets", "cpu", "numa", "machine", "bios",
    "scsihw", "agent", "tags", "startup", "pool", "vga", "efidisk0", "tpmstate0",
})  # fmt: skip
_DRIVES = frozenset({"scsi", "virtio", "sata", "ide"})
_SLOTS_TOLD = _DRIVES | {"unused", "net", "hostpci", "usb", "serial"}
_USUAL = {"vga": ("", "std", "serial0"), "balloon": ("", "0")}


def hardware_of(config: Mapping[str, object], pool: str = "") -> Hardware:
    """Every value of it; of what is passed through only what has a mapping."""
    cards = [_card(text(config[key])) for key in _numbered(config, "net")]
    return Hardware(
        cpu=text(config.get("cpu")).removeprefix("cputype=") or "kvm64",
        sockets=number(config.get("sockets")) or 1,
        numa=text(config.get("numa")) == "1",
        machine=properties(text(config.get("machine")), "type").get("type") or "pc",
        firmware=text(config.get("bios")) or "seabios",
        scsi=text(config.get("scsihw")) or "lsi",
        serial=text(config.get("serial0")) == "socket",
        agent=properties(text(config.get("agent")), "enabled").get("enabled") in ("1", "on", "yes", "true"),
        tpm=_storage(config.get("tpmstate0")),
        efi=_storage(config.get("efidisk0")),
        card=cards[0] if cards else Card(),
        cards=tuple(cards[1:]),
        pci=_passed(config, "hostpci"),
        usb=_passed(config, "usb"),
        tags=tags(config.get("tags")),
        start=_start(text(config.get("startup"))),
        pool=pool,
    )


def beyond(config: Mapping[str, object]) -> tuple[str, ...]:
    """Names of options, sorted, that a rebuild could not give the VM: their values may hold secrets, and are not told."""
    odd = [key for key in config if key not in _TOLD_ELSEWHERE and slot_of(key)[0] not in _SLOTS_TOLD]
    odd += [key for key, usual in _USUAL.items() if text(config.get(key)) not in usual]
    odd += [key for key, value in config.items() if key.startswith("serial") and (key, value) != ("serial0", "socket")]
    for kind in ("hostpci", "usb"):
        odd += [key for key in _numbered(config, kind) if "mapping" not in properties(text(config[key]), "host")]
    for key, value in config.items():
        if is_drive(key):
            file = properties(text(value), "file").get("file", "")
            odd += [key] if file.startswith("/") or "cloudinit" in file else []
    return tuple(sorted(set(odd)))


def is_drive(key: str) -> bool:
    """Whether an option is a drive of the guest: those for EFI and TPM are none."""
    return slot_of(key)[0] in _DRIVES


@cache
def slot_of(key: str) -> tuple[str, int]:
    """The kind of a numbered option and its number; no kind, and -1, for one without a number."""
    kind = key.rstrip("0123456789")
    return (kind, int(key[len(kind) :])) if kind != key else ("", -1)


def _card(value: str) -> Card:
    parts = properties(value, "model")
    model, mac = next(((key, told) for key, told in parts.items() if MAC.fullmatch(told.lower())), (MODEL, ""))
    return Card(
        bridge=parts.get("bridge", ""), mac=mac.lower(), model=parts.get("model", model) if model == "macaddr" else model,
        vlan=number(parts.get("tag")), mtu=number(parts.get("mtu")), firewall=parts.get("firewall") == "1",
    )  # fmt: skip


def _passed(config: Mapping[str, object], kind: str) -> tuple[Passthrough, ...]:
    found = []
    for key in _numbered(config, kind):
        parts = properties(text(config[key]), "host")
        if name := parts.pop("mapping", ""):
            found.append(Passthrough(name, tuple(sorted(parts.items()))))
    return tuple(found)


def _numbered(config: Mapping[str, object], kind: str) -> list[str]:
    return sorted((key for key in config if slot_of(key)[0] == kind), key=lambda key: slot_of(key)[1])


def _storage(value: object) -> str:
    return properties(text(value), "file").get("file", "").partition(":")[0]


def _start(value: str) -> tuple[int, int, int]:
    parts = properties(value, "order")
    order, up, down = (number_of(parts.get(name, "")) for name in ("order", "up", "down"))
    return -1 if order is None else order, -1 if up is None else up, -1 if down is None else down
