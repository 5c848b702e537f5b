"""What the house was made of while it lived: VMs, volumes with their handles, the ids of storage systems. Holds no secret.

`blackstart.inventory.yaml` lies in Git beside the settings and the lock file, for the day on which nobody is left to be asked.
Knows no port: `cluster/inventory.py` looks, `house/known/inventory_text.py` writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from engine.errors import SettingsInvalid
from house.files import yamlfile
from house.files.paths import is_there
from house.files.problems import Problem, dotted, refuse
from house.files.shapes import mapping
from house.files.yamlfile import Document, YamlInvalid
from house.model import House
from house.values.hardware import UNSAID, Hardware

CEPH_DRIVERS = ("rbd.csi.ceph.com", "cephfs.csi.ceph.com")
"""How the names of ceph-csi's drivers end; Rook's begin with its namespace."""
INVENTORY_FILE = "blackstart.inventory.yaml"
CERTIFICATES_FILE = "blackstart.certificates.age"
TIME = "%Y-%m-%dT%H:%M:%SZ"
_FSID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ANEW = "take the file back from Git, or move it aside and let invoke cluster.inventory --write write a new one"


@dataclass(frozen=True)
class DiskRecord:
    """One disk of a VM; bytes. `volume` is its volume id on that storage."""

    slot: str
    storage: str
    size: int
    volume: str = ""


@dataclass(frozen=True)
class VmRecord:
    """One VM. `node` is the node that it is, "" for a NAS; memory in bytes; `passed` are devices of its host; `odd` names what no
    setting can say."""

    vm_id: int
    name: str
    host: str
    macs: tuple[str, ...]
    cores: int
    memory: int
    node: str = ""
    bridge: str = ""
    disks: tuple[DiskRecord, ...] = ()
    hardware: Hardware = UNSAID
    passed: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class VolumeRecord:
    """One PersistentVolume and the claim (`namespace/name`) that has it, or had it last.

    `driver` is the CSI driver, else the kind of volume (nfs, local, hostPath) with its place as `handle`; `node` where it can be
    used alone, "" for anywhere, and `node_key` the label that says so. `size`, `modes` and `policy` as Kubernetes writes them.
    `attributes` are the driver's own, `options` what it is mounted with, `secrets` which Secrets (`namespace/name`) the driver is
    given at what: names alone. `fsid` is of the Ceph that it was seen on, "" where that was not told: a Rook that is made anew has
    the namespace of the one before, and none of its volumes.
    """

    name: str
    claim: str
    driver: str
    handle: str
    size: str = ""
    storage_class: str = ""
    policy: str = ""
    modes: tuple[str, ...] = ()
    mode: str = ""
    fs_type: str = ""
    node: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    node_key: str = ""
    options: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    fsid: str = ""


@dataclass(frozen=True)
class MonitorRecord:
    """One monitor of a Ceph: its name, address with port, and node ("" where nobody says)."""

    name: str
    address: str
    node: str = ""


@dataclass(frozen=True)
class CephRecord:
    """One Ceph: that of Rook by namespace and name, that of the Proxmox hosts without a namespace."""

    namespace: str
    name: str
    fsid: str
    monitors: tuple[MonitorRecord, ...] = ()


@dataclass(frozen=True)
class ReplicaRecord:
    """One replica of a Longhorn volume: the folder below `replicas` on this disk of this node."""

    node: str
    disk: str
    folder: str
    failed: bool = False


@dataclass(frozen=True)
class LonghornRecord:
    """One Longhorn volume; bytes. `claim` "" for none."""

    name: str
    claim: str
    size: int
    replicas: tuple[ReplicaRecord, ...] = ()


@dataclass(frozen=True)
class ImageRecord:
    """What the machines were made of: where the image was fetched and the storage that it was put on, or the `volume` that a person
    had put there."""

    url: str = ""
    storage: str = ""
    sha256: str = ""
    volume: str = ""


@dataclass(frozen=True)
class Machines:
    """What Proxmox told at `date`: its hosts, each VM of the house, and the Ceph of the hosts where they have one."""

    date: str
    hosts: tuple[str, ...]
    vms: tuple[VmRecord, ...]
    ceph: tuple[CephRecord, ...] = ()


@dataclass(frozen=True)
class Stores:
    """What the cluster told at `date`."""

    date: str
    volumes: tuple[VolumeRecord, ...] = ()
    ceph: tuple[CephRecord, ...] = ()
    longhorn: tuple[LonghornRecord, ...] = ()


@dataclass(frozen=True)
class HouseRecord:
    """Which house it is; `id` is its lineage."""

    id: str
    name: str


@dataclass(frozen=True)
class Inventory:
    """The whole file; None for what nobody has looked at yet."""

    house: HouseRecord
    image: ImageRecord | None = None
    machines: Machines | None = None
    cluster: Stores | None = None

    def vm_of(self, node: str) -> VmRecord | None:
        """The VM that this node was, None where nothing is known of one."""
        return next((vm for vm in self.machines.vms if vm.node == node), None) if self.machines is not None else None


def inventory_path(house: House) -> Path:
    """Where the inventory of this house lies: beside its settings file."""
    return house.settings_file.with_name(INVENTORY_FILE)


def ceph_of(volume: VolumeRecord, known: Inventory) -> str:
    """The fsid of the Ceph that a volume lay on, "" where nobody says."""
    return volume.fsid or _by_cluster(volume, known.cluster)


def seen_on(stores: Stores) -> Stores:
    """The same, each volume of a Ceph with the fsid of the one that it was seen on, where that is told and not noted yet."""
    volumes = (replace(one, fsid=one.fsid or _by_cluster(one, stores)) for one in stores.volumes)
    return replace(stores, volumes=tuple(volumes))


def _by_cluster(volume: VolumeRecord, stores: Stores | None) -> str:
    """ceph-csi's clusterID is Rook's namespace, the fsid itself, or any name that its own config gives to one."""
    if stores is None or not volume.driver.endswith(CEPH_DRIVERS):
        return ""
    named = dict(volume.attributes).get("clusterID", "")
    return next((one.fsid for one in stores.ceph if one.namespace == named), named if _FSID.fullmatch(named) else "")


def certificates_path(house: House) -> Path:
    """Where the TLS Secrets of this house are kept, encrypted for its age key: beside its settings file."""
    return house.settings_file.with_name(CERTIFICATES_FILE)


def at(date: str) -> float:
    """Epoch seconds of a section's date."""
    return datetime.strptime(date, TIME).replace(tzinfo=UTC).timestamp()


def dated(now: float) -> str:
    """A section's date, of epoch seconds."""
    return datetime.fromtimestamp(int(now), UTC).strftime(TIME)


def known_inventory(house: House) -> Inventory | None:
    """The inventory of this house, None when there is none yet. Raises SettingsInvalid for a file that is none, or another's."""
    file = inventory_path(house)
    found = read_inventory(file) if is_there(file) else None
    if found is not None and found.house.id != house.id:
        raise SettingsInvalid(
            f"{file.name} is of another house: its id is {found.house.id}, and this one's {house.id}",
            hint="move it aside, or take house.id from it if this is the same house and its settings were written anew",
        )
    return found


def read_inventory(file: Path) -> Inventory:
    """What the file says. Raises SettingsInvalid for one that is not there, or is no inventory."""
    found, problems = _read(file)
    if found is None or problems:
        raise refuse(problems, file.name)
    return found


def inventory_problems(file: Path) -> tuple[Problem, ...]:
    """Everything for which `read_inventory` refuses a file that is there."""
    return _read(file)[1] if is_there(file) else ()


def _read(file: Path) -> tuple[Inventory | None, tuple[Problem, ...]]:
    try:
        documents = yamlfile.load(file, file.name)
    except YamlInvalid as error:
        return None, (error.problem,)
    if len(documents) != 1:
        what = "is empty" if not documents else "holds more than one document"
        return None, (Problem(file.name, 0, "", what, _ANEW),)
    problems, found = list(yamlfile.duplicate_problems(documents[0])), None
    try:
        found = _shape().validate_python(mapping(documents[0].value))
        for section in (found.machines, found.cluster):
            if section is not None:
                at(section.date)
    except ValidationError as error:
        problems += [_problem(documents[0], one["loc"], one["msg"]) for one in error.errors(include_input=False, include_url=False)]
    except ValueError:
        problems.append(Problem(file.name, 0, "date", "is no time as this file has them", _ANEW))
    return found, tuple(problems)


def _problem(document: Document, place: tuple[int | str, ...], what: str) -> Problem:
    return Problem(document.name, document.line(place), dotted(place), what[:1].lower() + what[1:], _ANEW)


@cache
def _shape() -> TypeAdapter[Inventory]:
    return TypeAdapter(Inventory)
