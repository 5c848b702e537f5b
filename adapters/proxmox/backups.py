"""Backups of one VM on the hosts' storages, made by vzdump or kept by a Proxmox Backup Server. Knows no connection.

A storage leaves out of its list what the token may not see, without a word: who may not is told, and is never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from adapters.proxmox.properties import number, text
from adapters.proxmox.results import Storage, VmBackup, VmBackups
from engine.errors import PermanentError, TransientError

CONTENT = "backup"
Rows = Callable[[str, str, Mapping[str, str | int | bool]], list[dict[str, Any]]]


def vm_backups(
    vm_id: int,
    hosts: Mapping[str, bool],
    storages: Callable[[str], Iterable[Storage]],
    lacking: Callable[[Sequence[tuple[str, str]]], tuple[str, ...]],
    rows: Rows,
) -> VmBackups:
    """Every one that is seen. `hosts`: name → whether it is online; a shared storage is asked through the first that can list it.

    Raises what `lacking` raises.
    """
    found: dict[str, VmBackup] = {}
    listed: list[str] = []
    unseen = [f"{host} is offline, and so is what is on its own storages" for host, online in hosts.items() if not online]
    closed: dict[str, str] = {}
    for host in (host for host, online in hosts.items() if online):
        try:
            here = [one for one in storages(host) if CONTENT in one.content]
        except (TransientError, PermanentError) as error:
            unseen.append(f"storages of {host}: {error.what}")
            continue
        for storage in here:
            name = storage.name if storage.shared else f"{storage.name} of {host}"
            if name in listed:
                continue
            if why := _closed(storage, vm_id, lacking):
                closed[name] = why
                continue
            try:
                path, doing = f"/nodes/{host}/storage/{storage.name}/content", f"list the backups on {name}"
                answer = rows(path, doing, {"content": CONTENT, "vmid": vm_id})
            except (TransientError, PermanentError) as error:
                closed[name] = error.what
                continue
            listed.append(name)
            closed.pop(name, None)
            found |= {f"{name} {one.volume}": one for one in map(_backup, answer)}
    unseen += [f"{name}: {why}" for name, why in closed.items()]
    return VmBackups(tuple(sorted(found.values(), key=lambda one: one.made or 0.0)), tuple(listed), tuple(unseen))


def _closed(storage: Storage, vm_id: int, lacking: Callable[[Sequence[tuple[str, str]]], tuple[str, ...]]) -> str:
    """Why its list would say nothing; "" where it says all."""
    if not storage.active:
        return "not active"
    wanted = [(f"/storage/{storage.name}", "Datastore.AllocateSpace"), (f"/vms/{vm_id}", "VM.Backup")]
    missing = lacking(wanted)
    return f"the token may not see backups there ({', '.join(missing)})" if missing else ""


def _backup(row: Mapping[str, Any]) -> VmBackup:
    verified = row.get("verification")
    return VmBackup(
        text(row.get("volid")), float(number(row.get("ctime"))) or None, number(row.get("size")),
        text(verified.get("state")) if isinstance(verified, dict) else "",
    )  # fmt: skip
