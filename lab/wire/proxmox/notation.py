"""A VM's options as its clients write them, into what the World makes of them: drives, cards, plain options. Knows no call."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.wire.proxmox.schema import Schema, Value
from lab.world.pve.access import Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.making import made_up_mac
from lab.world.pve.vm import NewDrive, Nic

_DRIVE = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate|unused)\d+")
_NET = re.compile(r"net\d+")
Options = dict[str, Value | NewDrive | Nic]


class Notation:
    """Reads options by the schema's own formats."""

    def __init__(self, pve: LabProxmox, schema: Schema) -> None:
        self._pve, self._schema = pve, schema

    def read(self, given: Mapping[str, Value], *, actor: str) -> Options:
        """Every option that is given; Refusal for what the schema takes and the call does not."""
        found: Options = {}
        for name, value in given.items():
            name = "ide2" if name == "cdrom" else name
            if _DRIVE.fullmatch(name):
                found[name] = self._drive(name, str(value))
            elif _NET.fullmatch(name):
                found[name] = self._nic(name, str(value))
            elif name == "smbios1" or name == "vmgenid":
                found[name] = self._identity(name, str(value))
            else:
                found[name] = value
        for entry in found.values():
            if isinstance(entry, NewDrive) and entry.import_from.startswith("/") and actor != "root@pam":
                raise Refusal(
                    500, "Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651."
                )
            if isinstance(entry, NewDrive) and entry.volume == "cdrom":
                self._pve.access.require(actor, "/", "Sys.Console")
        return found

    def _identity(self, name: str, value: str) -> str:
        # `1` asks for one that is made up.
        return self._pve.new_uuid() if name == "vmgenid" and value == "1" else value

    def _format(self, name: str) -> str:
        stem = name.rstrip("0123456789")
        return name if name in self._schema.formats else f"{stem}[n]"

    def _drive(self, slot: str, value: str) -> NewDrive:
        found = self._schema.properties(self._format(slot), value)
        file, source, form = found.pop("file"), found.pop("import-from", ""), found.pop("format", "")
        found.pop("size", None)
        storage, _, rest = file.partition(":")
        if source and not re.fullmatch(r"0(\.0*)?", rest):
            raise parameter_refusal(
                **{slot: "'import-from' requires special syntax - use <storage ID>:0,import-from=<source>"}
            )
        if source and not source.startswith("/") and not re.search(r":(import|\d+)/|:(vm|base)-\d+-disk-", source):
            raise parameter_refusal(**{slot: f"'{source}' has wrong type 'iso' - needs to be 'images' or 'import'"})
        if file in ("none", "cdrom"):
            # Nothing else can be empty, or be the host's own drive: it need not be said.
            return NewDrive(slot, "", 0, options={"media": "cdrom"} | found, volume=file)
        if rest.startswith("iso/"):
            if found.get("media") != "cdrom":
                raise parameter_refusal(**{slot: "explicit 'media=cdrom' is required for iso images"})
            return NewDrive(slot, "", 0, options=found, volume=file)
        if rest == "cloudinit":
            return NewDrive(slot, storage, 0, options=found, cloudinit=True)
        if not re.fullmatch(r"\d+(\.\d+)?", rest):
            # `size` and `format` of a disk that is there are its own.
            return NewDrive(slot, "", 0, options=found, volume=file)
        return NewDrive(slot, storage, int(float(rest) * (1 << 30)), source, found, form=form)

    def _nic(self, name: str, value: str) -> Nic:
        found = self._schema.properties(self._format(name), value)
        # Without an address PVE makes one up.
        mac = found.pop("macaddr", "") or made_up_mac(self._pve)
        return Nic(found.pop("model"), mac.upper(), found.pop("bridge", ""), found)


def with_size(wanted: str) -> tuple[int, bool]:
    """Bytes of a size as resize takes it, and whether it is to grow by them."""
    units = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
    text = wanted.removeprefix("+")
    unit = text[-1] if text[-1] in "KMGT" else ""
    return int(float(text.removesuffix(unit)) * (1 << units[unit])), wanted.startswith("+")
