"""A Proxmox that is asked for a first settings file: its certificate shown for a person's yes, then its machines, read-only.

The token's secret comes from the environment. Nothing is sent to a server whose fingerprint nobody has confirmed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping

from adapters.ports import ProxmoxView
from adapters.proxmox.adapter import ProxmoxAdapter
from adapters.proxmox.certificate import shown_by
from adapters.proxmox.results import Storage, Vm
from cluster.machines.differing import by_hand_alone
from engine.errors import ApprovalMissing, SettingsInvalid
from engine.secrets import Secret
from house.files.grammar import DISK_SLOT, TOKEN_ID
from house.first.found import FoundDisk, FoundProxmox, FoundVm
from house.model import ProxmoxAccess, ProxmoxEndpoint, SecretRef
from house.settings.values import fingerprint_of, server_url_of

TOKEN, SECRET = "PROXMOX_TOKEN_ID", "PROXMOX_TOKEN_SECRET"
_FILE_BASED = ("dir", "nfs", "cifs", "cephfs", "btrfs")
_MAKES_ONE = "pveum user add blackstart@pve && pveum acl modify / --users blackstart@pve --roles PVEAuditor"
_HINT = f"on any Proxmox host, one that only reads: {_MAKES_ONE} && pveum user token add blackstart@pve run --privsep 0"
Opened = Callable[[ProxmoxAccess, Callable[[], Secret]], ProxmoxView]


def find(
    repo: str, url: str, fingerprint: str, environ: Mapping[str, str] = os.environ, opened: Opened = ProxmoxAdapter,
    entry: str = "",
) -> FoundProxmox:  # fmt: skip
    """What this Proxmox has. Raises ApprovalMissing with its certificate while nobody has confirmed that, and with the same
    command to go on with: `entry` is what it was told of the cluster that is meant."""
    try:
        url = server_url_of(url)
    except ValueError as error:
        raise SettingsInvalid(f"--ask-proxmox {url} {error}") from None
    if not fingerprint:
        raise _unconfirmed(repo, url, entry)
    try:
        fingerprint = fingerprint_of(fingerprint)
    except ValueError as error:
        raise SettingsInvalid(f"--fingerprint {error}") from None
    token, secret = environ.get(TOKEN, ""), environ.get(SECRET, "")
    lacking = [name for name, value in ((TOKEN, token), (SECRET, secret)) if not value]
    if lacking:
        what = f"{' and '.join(lacking)} of the environment {'is' if len(lacking) == 1 else 'are'} not set"
        raise SettingsInvalid(what, hint=f"{TOKEN} looks like blackstart@pve!run; {_HINT}")
    if wrong := TOKEN_ID.wrong(token):
        raise SettingsInvalid(f"{TOKEN}: {wrong[0]}; {wrong[1]}")
    access = ProxmoxAccess((ProxmoxEndpoint(url, fingerprint),), token, SecretRef((f"env:{SECRET}",)))
    return found_in(opened(access, lambda: Secret(secret)), url, fingerprint, token)


def _unconfirmed(repo: str, url: str, entry: str) -> ApprovalMissing:
    same = f"--repo {shlex.quote(repo)}" + (f" --git-path {shlex.quote(entry)}" if entry else "")
    seen = shown_by(url)
    told = [f"{word} {value}" for word, value in (("of", seen.subject), ("signed by", seen.issuer), ("to", seen.ends)) if value]
    return ApprovalMissing(
        f"nobody has confirmed the certificate of {url} yet: nothing was sent to it, and nothing was written",
        evidence=(f"SHA-256 {seen.fingerprint}", *told),
        hint="compare it with what stands there: Datacenter > HOST > System > Certificates, or `pvenode cert info` on the host",
        next_command=f"invoke config.init {same} --ask-proxmox {url} --fingerprint {seen.fingerprint}",
    )


def found_in(proxmox: ProxmoxView, url: str, fingerprint: str, token: str) -> FoundProxmox:
    """All that the views tell of machines, hosts and storages."""
    cluster = proxmox.cluster()
    vms = proxmox.vms()
    storages = {host: proxmox.storages(host) for host in cluster.online}
    image, enable = _image_storage(storages)
    # What a token may not see Proxmox leaves out of its lists, and says nothing.
    lacking = proxmox.missing_privileges([("/vms", "VM.Audit")])
    unseen = ["a VM that the token may not see (VM.Audit on /vms)"] if lacking else []
    having: dict[str, list[Vm]] = {}
    for vm in vms:
        for mac in dict.fromkeys(vm.macs):
            having.setdefault(mac, []).append(vm)
    return FoundProxmox(
        url=url, fingerprint=fingerprint, token_id=token, hosts=tuple(sorted((*cluster.online, *cluster.offline))),
        vms={mac: _noun(each[0]) for mac, each in having.items() if len(each) == 1}, taken=frozenset(vm.vm_id for vm in vms),
        image_storage=image, enable_import=enable,
        twice={mac: " and ".join(map(_called, each)) for mac, each in having.items() if len(each) > 1},
        unread=(*unseen, *(f"{_called(vm)} on {vm.host}" for vm in vms if not vm.readable)),
    )  # fmt: skip


def _called(vm: Vm) -> str:
    return f"VM {vm.vm_id} ({vm.name})"


def _noun(vm: Vm) -> FoundVm:
    disks = tuple(FoundDisk(disk.slot, disk.storage, disk.size) for disk in vm.disks if DISK_SLOT.fits(disk.slot))
    bridge = vm.hardware.card.bridge or next(iter(vm.bridges), "")
    return FoundVm(vm.name, vm.host, vm.vm_id, vm.cores, vm.memory, bridge, disks, vm.hardware, by_hand_alone(vm))


def _image_storage(storages: Mapping[str, tuple[Storage, ...]]) -> tuple[str, str]:
    """The storage that takes images on every host, and what makes one do so where none does; "" for both where none is seen."""
    files = [[one for one in here if one.active and one.kind in _FILE_BASED] for here in storages.values()]
    common = set.intersection(*({one.name for one in here} for here in files)) if files else set[str]()
    takes = sorted(name for name in common if all(one.name != name or "import" in one.content for here in files for one in here))
    if takes:
        return ("local" if "local" in takes else takes[0]), ""
    if not common:
        return "", ""
    name = "local" if "local" in common else min(common)
    content = {kind for here in files for one in here if one.name == name for kind in one.content} | {"import"}
    return name, f"pvesm set {name} --content {','.join(sorted(content))}"
