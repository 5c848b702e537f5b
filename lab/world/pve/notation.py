"""A VM to make, out of the parameters that its maker sends: drives and cards as property strings. Checks nothing; knows no door."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.world.pve.vm import NewDrive, NewVm, Nic

_DRIVE = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate)\d+")
_CARD = re.compile(r"net\d+")
_NO_OPTION = frozenset({"vmid", "pool", "start", "storage", "node"})
"""Not options of a VM: they say how it is made."""


def new_vm(host: str, parameters: Mapping[str, str | int | bool]) -> NewVm:
    """As POST /nodes/{host}/qemu is asked for it by our own adapter, whose words are right."""
    drives = tuple(_drive(name, str(value)) for name, value in parameters.items() if _DRIVE.fullmatch(name))
    cards = {name: _card(str(value)) for name, value in parameters.items() if _CARD.fullmatch(name)}
    options = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in parameters.items()
        if name not in _NO_OPTION and name not in cards and not _DRIVE.fullmatch(name)
    }
    return NewVm(int(parameters["vmid"]), host, options, drives, cards, pool=str(parameters.get("pool", "")))


def _drive(slot: str, value: str) -> NewDrive:
    file, *words = value.split(",")
    options = dict(word.split("=", 1) for word in words)
    storage, _, size = file.partition(":")
    if size.startswith("iso/"):
        return NewDrive(slot, "", 0, options=options, volume=file)
    return NewDrive(slot, storage, int(float(size) * (1 << 30)), options.pop("import-from", ""), options)


def _card(value: str) -> Nic:
    first, *words = value.split(",")
    model, _, mac = first.partition("=")
    options = dict(word.split("=", 1) for word in words)
    return Nic(model, mac, options.pop("bridge", ""), options)
