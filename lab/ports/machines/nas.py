"""The Nas port, in process: a box's answers in the form of its release, read as the adapter reads them. Knows no frame.

Which of the server's troubles a look meets is the box's weather; the rest is its state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters.nas import reading
from adapters.nas.adapter import QUESTIONS, with_mounts
from adapters.nas.listing import NFS, SFTP, SMB
from adapters.nas.results import Heard, Listed, NasLook, NasTrouble, Snapshots, Trouble
from adapters.nas.wanted import below, used
from adapters.nas.wording import RpcError
from engine.waiting import Clock
from house.values.nas import Export, Nas
from lab.wire.truenas.forms import V25_04, Forms
from lab.world.nas import LabNas


class ModelledNas:
    """Nas port (adapters.nas.port). `boxes` by the settings' name of each."""

    def __init__(self, boxes: Mapping[str, LabNas], clock: Clock) -> None:
        self._boxes, self._clock = boxes, clock

    def look(self, nas: Nas) -> NasLook:
        """See adapters.nas.port."""
        box = self._boxes.get(nas.name)
        trouble = _trouble(nas, box)
        if box is None or trouble is not None:
            return NasLook(trouble)
        forms = Forms(box, box.release, self._clock.now)
        answers: dict[str, Callable[[], Any]] = {
            "pools": forms.pools, "scrubs": forms.scrubs, "datasets": forms.datasets, "nfs": forms.nfs, "smb": forms.smb,
            "services": forms.services, "tasks": forms.tasks, "replications": forms.replications, "alerts": forms.alerts,
        }  # fmt: skip
        heard: dict[str, Any] = {
            part: reading.listed(_refused() if method == box.weather.refuse else answers[part](), method, read)
            for part, method, read in QUESTIONS
        }
        wanted = used(nas, heard["datasets"], heard["smb"])
        locked = {one.name: f"{one.name} waits for its passphrase" for one in box.there() if one.locked and one.name in wanted}
        mounted = {one: bool((forms.stat(f"/mnt/{one}") or {}).get("is_mountpoint")) for one in wanted}
        heard["datasets"] = with_mounts(heard["datasets"], mounted, locked)
        old = box.release == V25_04
        return NasLook(
            version=box.version, release=box.release, path="/api/current", state="" if old else _state(box),
            clock=self._clock.now() + box.skew, up_s=forms.info()["uptime_seconds"], asked_at=self._clock.now(),
            snapshots=_snapshots(box, wanted), listed=() if box.starting else tuple(_listed(nas, box)),
            tests=reading.listed(forms.tests(), "smart.test.results", reading.disk_test) if old else None, **heard,
        )  # fmt: skip


def _trouble(nas: Nas, box: LabNas | None) -> NasTrouble | None:
    """What a look at this box comes to before anything is seen."""
    if box is None or box.silent:
        hint = f"is it on, and reachable from here? nc -vz {nas.host} {nas.port}"
        return NasTrouble(Trouble.UNREACHABLE, "Connection refused", hint)
    if box.weather.shut_out:
        return NasTrouble(Trouble.SHUT_OUT, "it closes the connection (1008)")
    if box.weather.standby:
        return NasTrouble(Trouble.STANDBY, "it sends us to 10.0.0.2")
    if box.weather.drop or box.weather.hang:
        asked = box.weather.drop or box.weather.hang
        return NasTrouble(Trouble.DROPPED, f"the connection ended without a word while waiting for {asked}")
    user = next((one for one in box.users if one.name == nas.username), None)
    if user is None or not user.roles:
        told = f"the key is not one of {nas.username}'s, or that user is unknown, locked, or has no privilege"
        return NasTrouble(Trouble.KEY, told)
    if user.expired or user.revoked:
        return NasTrouble(Trouble.EXPIRED, f"the key of {nas.username} is expired or revoked, or that account is")
    return None


def _state(box: LabNas) -> str:
    return "BOOTING" if box.starting else "READY"


def _refused() -> RpcError:
    return RpcError(-32001, 13, "EACCES", "[EACCES] Not authorized")


def _listed(nas: Nas, box: LabNas) -> Iterator[Listed]:
    """What showmount and smbclient would see, were they here: servers of NFS that are asked do not tell what is in an export."""
    for wanted in nas.exports:
        nfs = wanted.kind is Export.NFS
        way, service = (NFS, "nfs") if nfs else (SMB, "cifs")
        if not box.services.get(service, (False, False))[1]:
            yield Listed(wanted.told, way, None, why="Connection refused")
            continue
        there = [
            one for one in (box.nfs if nfs else box.smb)
            if one.enabled and (below(wanted.place, one.path) if nfs else one.name.lower() == wanted.place.lower())
        ]  # fmt: skip
        shown = [one for one in there if one.shown]
        yield Listed(wanted.told, way, shown=bool(shown), entries=None if nfs or not shown else 1 - shown[0].bare)
        if nas.ssh_host and shown:
            yield Listed(wanted.told, SFTP, shown=True, entries=1 - shown[0].bare)


def _snapshots(box: LabNas, wanted: tuple[str, ...]) -> Heard[Snapshots]:
    found = []
    for one in box.there():
        if one.name in wanted:
            name, at = max(one.snapshots, key=lambda made: made[1], default=("", None))
            found.append(Snapshots(one.name, f"{one.name}@{name}" if name else "", at, len(one.snapshots)))
    return tuple(found)
