"""What Proxmox's schemas only name: formats of single values, and property strings of a VM's options. Knows no call.

A check raises FormatWrong with the words of PVE::JSONSchema, PVE::Tools and PVE::QemuServer; keys, choices and ranges are facts of
the interface, in the notation of schema.py.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from lab.world.pve.access import PRIVILEGES

Check = Callable[[str], None]


class FormatWrong(Exception):
    """Why a value has the wrong form."""


def _like(pattern: str, words: str) -> Check:
    """A check by a pattern; `{}` in the words stands for the value."""
    compiled = re.compile(pattern)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise FormatWrong(words.replace("{}", value))

    return check


def _each(check: Check, separators: str = r"[,;\s\0]+") -> Check:
    """A check of each member of a list."""

    def every(value: str) -> None:
        for part in re.split(separators, value):
            if part:
                check(part)

    return every


def _address(version: int, words: str, *also: str, network: bool = False) -> Check:
    def check(value: str) -> None:
        if value in also:
            return
        try:
            found = ipaddress.ip_interface(value)
        except ValueError:
            raise FormatWrong(words) from None
        if found.version != version or ("/" in value) is not network:
            raise FormatWrong(words)

    return check


def _any_address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        _like(_NAME, "value does not look like a valid address: {}")(value)


def _one_of(names: str, words: str) -> Check:
    known = frozenset(names.split(" "))

    def check(value: str) -> None:
        if value not in known:
            raise FormatWrong(words.replace("{}", value))

    return check


def _storage_id(value: str) -> None:
    if len(value) < 2:
        raise FormatWrong(f"storage ID '{value}' too short")
    _like(r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]", "storage ID '{}' contains illegal characters")(value)


def _volume(value: str) -> None:
    _like(r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]:.+", "unable to parse volume ID '{}'")(value)


def _volume_or(*also: str) -> Check:
    def check(value: str) -> None:
        if value not in also and not value.startswith("/"):
            _volume(value)

    return check


def _hotplug(value: str) -> None:
    if value not in ("0", "1"):
        _each(_one_of("network disk cpu memory usb cloudinit", "invalid hotplug feature '{}'"))(value)


def _cpu_type(value: str) -> None:
    if value.startswith("custom-"):
        return
    if value not in CPUS:
        raise FormatWrong(f"Built-in cputype '{value}' is not defined (missing 'custom-' prefix?)")


def _cpu(value: str) -> None:
    """The processor's model is known, and what else is said has its form."""
    for part in value.split(","):
        key, equals, rest = part.partition("=")
        if not equals or key == "cputype":
            _cpu_type(rest or key)


def _startup(value: str) -> None:
    for part in value.split(","):
        if part.strip() and not re.fullmatch(r"(order=)?\d+|up=\d+|down=\d+", part.strip()):
            raise FormatWrong("unable to parse startup options")


def _encoded(value: str) -> None:
    _like(r"[A-Za-z0-9%_.~!*'()-]*", "value is not a valid url encoded string")(value)
    if re.search(r"%(?![0-9A-Fa-f]{2})", value) or "\0" in unquote(value):
        raise FormatWrong("value is not a valid url encoded string")


def _privilege(value: str) -> None:
    if value not in PRIVILEGES:
        raise FormatWrong(f"invalid privilege '{value}'")


def _user(value: str) -> None:
    if not re.fullmatch(r"[^\s:/]+@[A-Za-z][A-Za-z0-9._-]+", value):
        raise FormatWrong(f"value '{value}' does not look like a valid user name")
    if len(value) > 64:
        raise FormatWrong(f"user name '{value}' is too long ({len(value)} > 64)")


_NAME = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
_DEVICE = r"(ide[0-3]|sata[0-5]|scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])|net\d+|usb\d+|hostpci\d+)"
CPUS = frozenset(
    re.findall(
        r"\S+",
        """
        486 a64fx athlon Broadwell Broadwell-IBRS Broadwell-noTSX Broadwell-noTSX-IBRS Cascadelake-Server Cascadelake-Server-
        noTSX Cascadelake-Server-v2 Cascadelake-Server-v4 Cascadelake-Server-v5 ClearwaterForest Conroe Cooperlake
        Cooperlake-v2 core2duo coreduo cortex-a35 cortex-a53 cortex-a55 cortex-a57 cortex-a710 cortex-a72 cortex-a76 EPYC
        EPYC-v3 EPYC-v4 EPYC-v5 EPYC-Genoa EPYC-Genoa-v2 EPYC-IBPB EPYC-Milan EPYC-Milan-v2 EPYC-Milan-v3 EPYC-Rome EPYC-
        Rome-v2 EPYC-Rome-v3 EPYC-Rome-v4 EPYC-Rome-v5 EPYC-Turin GraniteRapids GraniteRapids-v2 Haswell Haswell-IBRS Haswell-
        noTSX Haswell-noTSX-IBRS host Icelake-Client Icelake-Client-noTSX Icelake-Server Icelake-Server-noTSX Icelake-
        Server-v3 Icelake-Server-v4 Icelake-Server-v5 Icelake-Server-v6 Icelake-Server-v7 IvyBridge IvyBridge-IBRS KnightsMill
        kvm32 kvm64 max Nehalem Nehalem-IBRS neoverse-n1 neoverse-n2 neoverse-v1 Opteron_G1 Opteron_G2 Opteron_G3 Opteron_G4
        Opteron_G5 Penryn pentium pentium2 pentium3 phenom qemu32 qemu64 SandyBridge SandyBridge-IBRS SapphireRapids
        SapphireRapids-v2 SapphireRapids-v3 SierraForest SierraForest-v2 Skylake-Client Skylake-Client-IBRS Skylake-Client-
        noTSX-IBRS Skylake-Client-v4 Skylake-Server Skylake-Server-IBRS Skylake-Server-noTSX-IBRS Skylake-Server-v4 Skylake-
        Server-v5 Westmere Westmere-IBRS x86-64-v2 x86-64-v2-AES x86-64-v3 x86-64-v4
        """,
    )
)
_CONTENTS = "images rootdir vztmpl iso backup snippets import none"

# What is taken as it comes: nothing of the lab reads it.
FREE = frozenset({
    "CIDR", "pve-dir-override-list", "pve-qemu-sev-fmt", "pve-qemu-tdx-fmt", "pve-qm-bootdisk", "pve-qm-ide", "pve-storage-options",
    "pve-storage-portal-dns", "pve-storage-portal-dns-list", "pve-storage-server", "pve-storage-vgname",
    "pve-storage-zfs-blocksize",
})  # fmt: skip

_GROUP = _like(r"[A-Za-z0-9._-]+", "group name '{}' contains invalid characters")

NAMED: Mapping[str, Check] = {
    "pve-vmid": _like(r"[1-9]\d{2,8}", "value does not look like a valid VM ID"),
    "pve-node": _like(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "value does not look like a valid node name"),
    "pve-node-list": _each(_like(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "value does not look like a valid node name")),
    "pve-storage-id": _storage_id,
    "pve-storage-id-list": _each(_storage_id),
    "pve-storage-content": _one_of(_CONTENTS, "invalid content type '{}'"),
    "pve-storage-content-list": _each(_one_of(_CONTENTS, "invalid content type '{}'")),
    "pve-storage-path": _like(r"/[^;()]+.*", "value does not look like a valid absolute path"),
    "pve-poolid": _like(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}", "value '{}' does not look like a valid pool ID"),
    "pve-configid": _like(r"[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '{}'"),
    "pve-configid-list": _each(_like(r"[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '{}'")),
    "pve-bridge-id": _like(r"[-_.\w]+", "invalid bridge ID '{}'"),
    "pve-volume-id": _volume,
    "pve-volume-id-or-qm-path": _volume_or("none", "cdrom"),
    "pve-volume-id-or-absolute-path": _volume_or(),
    "pve-priv-list": _each(_privilege),
    "pve-task-status-type-list": _each(_one_of("ok error warning unknown", "value '{}' is not a valid task status")),
    "pve-ha-resource-or-vm-id": _like(r"((vm|ct):)?[1-9]\d{2,8}", "value does not look like a valid resource ID"),
    "pve-vmid-list": _each(_like(r"[1-9]\d{2,8}", "value does not look like a valid VM ID")),
    "disk-size": _like(r"\d+(\.\d+)?[KMGT]?", "value does not look like a valid disk size: {}"),
    "dns-name": _like(_NAME, "value does not look like a valid DNS name"),
    "mac-addr": _like(r"[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}", "value does not look like a valid unicast MAC address"),
    "pve-cpuset": _like(r"\d+(-\d+)?(,\d+(-\d+)?)*", "unable to parse cpuset option"),
    "pve-vm-cpu-conf": _cpu,
    "pve-hotplug-features": _hotplug,
    "pve-tag-list": _each(_like(r"(?i)[a-z0-9_][a-z0-9_+.-]*", "invalid characters in tag")),
    "pve-startup-order": _startup,
    "pve-ipv4-config": _address(4, "value does not look like a valid ipv4 network configuration", "dhcp", network=True),
    "pve-ipv6-config": _address(6, "value does not look like a valid ipv6 network configuration", "auto", "dhcp", network=True),
    "ipv4": _address(4, "value does not look like a valid ipv4 address"),
    "ipv6": _address(6, "value does not look like a valid ipv6 address"),
    "address-list": _each(_any_address),
    "urlencoded": _encoded,
    "pve-userid": _user,
    "pve-userid-list": _each(_user),
    "pve-realm": _like(r"[A-Za-z][A-Za-z0-9._-]+", "value does not look like a valid realm"),
    "pve-roleid": _like(r"[A-Za-z0-9._-]+", "value '{}' does not look like a valid role name"),
    "pve-roleid-list": _each(_like(r"[A-Za-z0-9._-]+", "value '{}' does not look like a valid role name")),
    "pve-tokenid-list": _each(
        _like(r"[^\s:/]+@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+", "value '{}' does not look like a valid token ID")
    ),
    "pve-groupid": _GROUP,
    "pve-groupid-list": _each(_GROUP),
    "email-opt": _like(r"([\w+.-]+@[\w.-]+)?", "value does not look like a valid email address"),
    "pve-boot-devices": _each(_like(_DEVICE, "invalid boot device '{}'"), ";"),
    "storage-pair-list": _each(_like(r"[A-Za-z][\w.-]+(:[A-Za-z][\w.-]+)?|1", "value does not look like a valid storage mapping")),
}  # fmt: skip

PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "pve-qm-boot": {"legacy": "string default like=[acdn]{1,4}", "order": "string as=pve-boot-devices"},
    "pve-qm-ipconfig": {
        "ip": "string as=pve-ipv4-config", "gw": "string needs=ip as=ipv4", "ip6": "string as=pve-ipv6-config",
        "gw6": "string needs=ip6 as=ipv6",
    },
    "pve-qm-smbios1": {
        "uuid": r"string like=[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "base64": "boolean",
        **dict.fromkeys(("version", "serial", "manufacturer", "product", "sku", "family"), r"string like=\S+"),
    },
    "pve-qm-hostpci": {
        "host": r"string default like=[0-9A-Fa-f:.;]+", "mapping": "string as=pve-configid", "mdev": r"string like=[^/.:]+",
        "romfile": "string", "driver": "string in=vfio|keep", **dict.fromkeys(("rombar", "pcie", "x-vga", "legacy-igd"), "boolean"),
        **dict.fromkeys(("vendor-id", "device-id", "sub-vendor-id", "sub-device-id"), "string like=0x[0-9A-Fa-f]{4}"),
    },
    "pve-qm-rng": {
        "source": "string default in=/dev/urandom|/dev/random|/dev/hwrng", "max_bytes": "integer", "period": "integer",
    },
    "pve-qm-watchdog": {
        "model": "string default in=i6300esb|ib700", "action": "string in=reset|shutdown|poweroff|pause|debug|none",
    },
    "pve-qm-cicustom": dict.fromkeys(("meta", "network", "user", "vendor"), "string as=pve-volume-id"),
    "prune-backups": {
        "keep-all": "boolean",
        **dict.fromkeys(("keep-last", "keep-hourly", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly"), "integer 0.."),
    },
}  # fmt: skip
"""Property strings that the published schema only names: their keys, as schema.py reads them."""
