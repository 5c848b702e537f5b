"""Each NAS of the settings, with what the repository mounts of it: NFS and SMB volumes, storage classes on a share, movers.

What is mounted from a server that no NAS of the settings is called after is nobody's here: nothing is guessed from addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict

from house.data.holders import holders
from house.data.nouns import Keeps
from house.files.grammar import port_of, url_parts
from house.flux.rendered import Rendered
from house.repository.backups.hints import mover_mounts
from house.settings.references import SecretRef
from house.settings.sections import NasSection
from house.values.nas import HTTPS_PORT, Export, Nas, NasExport

_SHARES = {Keeps.NFS: Export.NFS, Keeps.SMB: Export.SMB}
_CLASSES = {"nfs.csi.k8s.io": Export.NFS, "smb.csi.k8s.io": Export.SMB}
_Secret = Callable[[SecretRef], SecretRef]
_Mount = tuple[str, NasExport]
"""A server's name, and what is mounted of it."""


class _Ssh(TypedDict, total=False):
    """The fields of a Nas that say how it is asked by SSH."""

    ssh_host: str
    ssh_port: int
    ssh_user: str


def declared_nas(
    sections: Mapping[str, NasSection], rendered: Rendered, located: Callable[[str], str], secret: _Secret
) -> tuple[Nas, ...]:
    """One Nas per section, by name. `located` makes paths absolute, `secret` the paths inside references."""
    if not sections:
        return ()
    mounts = _mounts(rendered)
    return tuple(_nas(name, section, mounts, located, secret) for name, section in sorted(sections.items()))


def mounted_servers(rendered: Rendered) -> dict[str, tuple[str, ...]]:
    """Each server that something is mounted of → what, as it is told."""
    found: dict[str, dict[str, None]] = {}
    for server, export in _mounts(rendered):
        found.setdefault(server, {})[export.told] = None
    return {server: tuple(places) for server, places in found.items()}


def _mounts(rendered: Rendered) -> tuple[_Mount, ...]:
    return (*_volumes(rendered), *_classes(rendered), *_movers(rendered))


def _nas(name: str, section: NasSection, mounts: tuple[_Mount, ...], located: Callable[[str], str], secret: _Secret) -> Nas:
    parts = url_parts(section.url)
    assert parts is not None  # the settings' own value says so
    host = parts.hostname or ""
    called = {one.lower().rstrip(".") for one in (host, *section.also)}
    wanted: dict[tuple[Export, str], NasExport] = {}
    for place in section.exports:
        kind, text = (Export.SMB, place[2:]) if place.startswith("//") else (Export.NFS, place)
        wanted[(kind, text)] = NasExport(kind, text, f"nas.{name}.exports")
    for server, export in mounts:
        if server.lower().rstrip(".") in called:
            known = wanted.get((export.kind, export.place))
            if known is None or (export.movers and not known.movers):
                wanted[(export.kind, export.place)] = export
    return Nas(
        name=name, host=host, port=port_of(parts) or HTTPS_PORT, fingerprint=section.fingerprint or "",
        ca_file=located(section.ca_file) if section.ca_file else "", username=section.username, api_key=secret(section.api_key),
        also=tuple(section.also), vm=section.vm or 0, vm_name=section.vm_name or name,
        datasets=tuple(dict.fromkeys(section.datasets)),
        exports=tuple(wanted.values()), scrub_age=section.scrub_age,
        snapshot_age=-1.0 if section.snapshot_age is None else section.snapshot_age, replication_age=section.replication_age,
        vm_backup_age=section.vm_backup_age, **_by_ssh(section.ssh), accepted=tuple(section.accepted.items()),
        known_hosts=located(section.ssh_known_hosts) if section.ssh_known_hosts else "",
        ssh_key=located(section.ssh_key) if section.ssh_key else "", smb_user=section.smb_user or "",
        smb_password=secret(section.smb_password) if section.smb_password else None,
    )  # fmt: skip


def _by_ssh(url: str | None) -> _Ssh:
    """Host, port and user of `ssh://user@host:port`."""
    parts = url_parts(url) if url else None
    if parts is None:
        return {}
    return {"ssh_host": parts.hostname or "", "ssh_port": port_of(parts) or 22, "ssh_user": parts.username or "root"}


def _volumes(rendered: Rendered) -> Iterator[_Mount]:
    """What Pods and PersistentVolumes mount."""
    for one in holders(rendered)[0]:
        kind = _SHARES.get(one.keeps)
        if kind is not None and "${" not in one.storage:
            yield from _placed(kind, one.storage, one.key)


def _classes(rendered: Rendered) -> Iterator[_Mount]:
    """What the classes of csi-driver-nfs and csi-driver-smb make volumes on."""
    for one in rendered.of_kind("storage.k8s.io", "StorageClass"):
        kind = _CLASSES.get(str(one.body.get("provisioner")))
        told: Any = one.body.get("parameters")
        if kind is None or not isinstance(told, dict):
            continue
        where = f"{told.get('server', '')}:{told.get('share', '')}" if kind is Export.NFS else str(told.get("source", ""))
        if "${" not in where:
            yield from _placed(kind, where, f"StorageClass {one.name}")


def _movers(rendered: Rendered) -> Iterator[_Mount]:
    """What a policy of the house mounts into VolSync's movers: their repositories lie on it."""
    for server, path, where in mover_mounts(rendered):
        if "${" not in server + path:
            yield server, NasExport(Export.NFS, _clean(path), f"VolSync's movers ({where})", movers=True)


def _placed(kind: Export, text: str, wanted_by: str) -> Iterator[_Mount]:
    """`server:/path` of NFS (an IPv6 address in brackets, or without), `//server/share/folder` of SMB."""
    if kind is Export.SMB:
        parts = text.replace("\\", "/").removeprefix("smb:").strip("/").split("/")
        if len(parts) >= 2 and all(parts[:2]):
            yield parts[0].strip("[]"), NasExport(kind, parts[1], wanted_by)
        return
    server, found, path = text.partition(":/")
    if found and server:
        yield server.strip("[]"), NasExport(kind, _clean(f"/{path}"), wanted_by)


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part and part != ".")
