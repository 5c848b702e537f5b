"""Troubles of what stands under the data, in a running house: each gives the house a sound one first, where it has none yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from engine.errors import PermanentError
from lab.modelled.stored import stored_database
from lab.parts.databases.cnpg import why_none
from lab.parts.objects.csi import put_csi
from lab.parts.objects.storage import put_longhorn, put_rook
from lab.running.house import BUCKET, LabHouse
from lab.troubles.ceph import CEPH_TROUBLES, CephTrouble
from lab.troubles.csi import CSI_TROUBLES, CsiTrouble
from lab.troubles.database import DATABASE_TROUBLES, DatabaseTrouble
from lab.troubles.longhorn import LONGHORN_TROUBLES, LonghornTrouble
from lab.troubles.nas import NAS_FAULTS, NasFault
from lab.troubles.rook import ROOK_TROUBLES, RookTrouble
from lab.wiring import BACKED_UP_S, only_backup
from lab.world.cluster import csi, longhorn
from lab.world.cluster.ceph import LabCeph
from lab.world.cluster.rook import LabRook
from lab.world.pve.vm import PowerEvent

VM_BACKUPS = (
    ("nas-vm-backup-none", "nobody has backed its VM up", None, ""),
    ("nas-vm-backup-old", "the newest backup of its VM is half a year old", 180 * 86400.0, "ok"),
    ("nas-vm-backup-damaged", "the only backup of its VM is damaged", BACKED_UP_S, "failed"),
)
"""Name, what it is, age of the only backup in seconds (None for none), what its server finds of it."""
DATABASE_LIES = {
    "empty": "the next recovery of one makes it empty, and healthy",
    "early": "the next recovery of one stops before its log ends, and it is healthy",
}
"""What a recovery by real programs does wrong → what it is."""
Act = Callable[[LabHouse, str], None]


def storage_troubles() -> Iterator[tuple[str, str, str, Act, Act]]:
    """Of each its name, its system, what it is, how it begins and how it ends."""
    for ceph in CEPH_TROUBLES.values():
        yield ceph.name, "Ceph of the hosts", ceph.what, partial(_ceph, ceph), _healthy_ceph
    for rook in ROOK_TROUBLES.values():
        yield rook.name, "Ceph of Rook", rook.what, partial(_rook, rook), partial(_rook, None)
    for one in LONGHORN_TROUBLES.values():
        yield one.name, "Longhorn", one.what, partial(_longhorn, one), partial(_longhorn, None)
    for small in CSI_TROUBLES.values():
        yield small.name, small.of, small.what, partial(_csi, small), partial(_csi, None)
    for nas in NAS_FAULTS.values():
        yield nas.name, "NAS", nas.what, partial(_nas, nas), _nas_in_order
    for name, what, age, verified in VM_BACKUPS:
        yield name, "NAS", what, partial(_vm_backups, age, verified), partial(_vm_backups, BACKED_UP_S, "ok")
    for database in DATABASE_TROUBLES.values():
        yield database.name, "databases", database.what, partial(_archive, database), partial(_archive, None)
    for lie, what in DATABASE_LIES.items():
        yield f"database-{lie}", "databases", what, partial(_lie, lie), partial(_lie, "")
    yield "nas-vm-off", "NAS", "its VM is switched off", partial(_nas_power, PowerEvent.STOPPED), _nas_on


def _ceph(trouble: CephTrouble, house: LabHouse, target: str) -> None:
    with house.world.looking():
        pve = house.proxmox
        pve.ceph = pve.ceph or LabCeph.on(pve.hosts)
        trouble.begin(pve.ceph)


def _healthy_ceph(house: LabHouse, target: str) -> None:
    with house.world.looking():
        house.proxmox.ceph = LabCeph.on(house.proxmox.hosts)


def _rook(trouble: RookTrouble | None, house: LabHouse, target: str) -> None:
    """Rook's Ceph as its operator leaves it now; None: in order. It grows old, for no operator runs."""
    now = time.time()
    made = LabRook.healthy(now)
    if trouble is not None:
        trouble.begin(made, now - trouble.age_s)
    put_rook(house.cluster.kube, made.seen(now))


def _longhorn(trouble: LonghornTrouble | None, house: LabHouse, target: str) -> None:
    """A Longhorn on the house's nodes; None: in order."""
    whole = longhorn.healthy(node.name for node in house.shape.nodes)
    put_longhorn(house.cluster.kube, whole if trouble is None else trouble.change(whole))


def _csi(trouble: CsiTrouble | None, house: LabHouse, target: str) -> None:
    """Drivers, pools and classes on the house's nodes; None: in order. Their Leases grow old, for nobody renews them."""
    whole = csi.living(csi.healthy(node.name for node in house.shape.nodes), time.time())
    if trouble is None:
        put_csi(house.cluster.kube, whole, csi.CLASSES)
    else:
        put_csi(house.cluster.kube, trouble.change(whole), map(trouble.reclass, csi.CLASSES))


def _archive(trouble: DatabaseTrouble | None, house: LabHouse, target: str) -> None:
    """An archive that a database might have just now, in place of its own and spoilt; None: its own, in order."""
    if house.archive is None:
        raise PermanentError("this house has no database", hint="lab.up --house one-node-database has one")
    files = house.archived
    if trouble is not None:
        files = stored_database(time.time()).files
        trouble.change(files)
    house.archive.put(files)
    buckets = frozenset({BUCKET}) if trouble is not None and trouble.refused else frozenset()
    house.s3.keep(replace(house.key, buckets=buckets))


def _lie(lie: str, house: LabHouse, target: str) -> None:
    """Recoveries that begin from now on come out so, and their operator calls them healthy; "": as they should."""
    if house.archive is None:
        raise PermanentError("this house has no database", hint="lab.up --house one-node-database has one")
    if why := why_none():
        raise PermanentError("nothing restores a database here, so nothing can do it wrong", hint=why)
    house.cluster.knobs.database_lie = lie


def _nas(fault: NasFault, house: LabHouse, target: str) -> None:
    if house.nas is None:
        raise PermanentError("this house has no NAS", hint="lab.up --house one-node-nas has one")
    fault.begin(house.nas, time.time())


def _nas_in_order(house: LabHouse, target: str) -> None:
    if house.nas is not None:
        vars(house.nas).update(vars(house.new_nas()))


def _nas_power(event: PowerEvent, house: LabHouse, target: str) -> None:
    if house.nas_vm is None:
        raise PermanentError("this house has no NAS", hint="lab.up --house one-node-nas has one")
    with house.world.looking():
        house.proxmox.power(house.nas_vm, event)


def _vm_backups(age: float | None, verified: str, house: LabHouse, target: str) -> None:
    """The backups of its VM are this one; None: there is none."""
    if house.nas_vm is None:
        raise PermanentError("this house has no NAS", hint="lab.up --house one-node-nas has one")
    with house.world.looking():
        only_backup(house.proxmox, house.nas_vm, None if age is None else time.time() - age, verified)


def _nas_on(house: LabHouse, target: str) -> None:
    _nas_power(PowerEvent.STARTED, house, target)
