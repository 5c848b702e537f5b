"""What can be wrong with a NAS, by name, and whether its pools say that they are well meanwhile. Knows no house and no wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.troubles.seen import WITHIN_S
from lab.world.nas import GIB, LabAlert, LabNas, LabScan

Begin = Callable[[LabNas, float], None]
START = "start"
_DAY_S = 86400.0


@dataclass(frozen=True)
class NasFault:
    """One named trouble of a box that was in order, in a VM that runs. `rows` are the parts of `storage.nas/NAME` that tell of it,
    START the step that waits for it; `well`: every pool is ONLINE and healthy meanwhile; `stops`: what lies under its backups is
    not fit to be restored from."""

    name: str
    what: str
    rows: tuple[str, ...]
    begin: Begin
    well: bool = True
    stops: bool = False
    seen_within_s: float = WITHIN_S

    def ids(self, name: str) -> tuple[str, ...]:
        """The rows that tell of it, where the NAS has this name in the settings."""
        return tuple(f"nas.start/{name}" if part == START else f"storage.nas/{name}.{part}" for part in self.rows)


def _weather(**changes: object) -> Begin:
    def act(box: LabNas, now: float) -> None:
        for name, value in changes.items():
            setattr(box.weather, name, value)

    return act


def _pool(**changes: object) -> Begin:
    def act(box: LabNas, now: float) -> None:
        for name, value in changes.items():
            setattr(box.pools[0], name, value)

    return act


def _degraded(box: LabNas, now: float) -> None:
    _pool(status="DEGRADED", healthy=False, code="FAULTED_DEV_R", says="One or more devices are faulted.")(box, now)
    box.pools[0].devices[1].status = "UNAVAIL"


def _not_imported(box: LabNas, now: float) -> None:
    box.pools[0].export()


def _checksums(box: LabNas, now: float) -> None:
    box.pools[0].devices[0].checksum = 12


def _scrub(box: LabNas, now: float, **changes: object) -> None:
    scan = box.pools[0].scan = box.pools[0].scan or LabScan()
    for name, value in changes.items():
        setattr(scan, name, value)


def _scrub_old(box: LabNas, now: float) -> None:
    _scrub(box, now, started=now - 90 * _DAY_S, ended=now - 90 * _DAY_S)


def _scrub_errors(box: LabNas, now: float) -> None:
    _scrub(box, now, errors=3)


def _locked(box: LabNas, now: float) -> None:
    box.dataset("tank/backup").encrypted, box.dataset("tank/backup").key_loaded = True, False


def _unmounted(box: LabNas, now: float) -> None:
    box.dataset("tank/backup").mounted = False


def _dataset_gone(box: LabNas, now: float) -> None:
    box.datasets = [one for one in box.datasets if one.name != "tank/backup"]


def _export_gone(box: LabNas, now: float) -> None:
    box.nfs.clear()


def _export_off(box: LabNas, now: float) -> None:
    box.nfs[0].enabled = False


def _share_gone(box: LabNas, now: float) -> None:
    box.smb.clear()


def _not_shown(box: LabNas, now: float) -> None:
    box.nfs[0].shown = False


def _share_not_shown(box: LabNas, now: float) -> None:
    box.smb[0].shown = False


def _share_bare(box: LabNas, now: float) -> None:
    box.smb[0].bare = True


def _service(name: str) -> Begin:
    def act(box: LabNas, now: float) -> None:
        box.services[name] = (True, False)

    return act


def _snapshots_stopped(box: LabNas, now: float) -> None:
    for one in box.datasets:
        one.snapshots = [(name, at - 9 * _DAY_S) for name, at in one.snapshots]


def _task_failed(box: LabNas, now: float) -> None:
    box.tasks[0].state, box.tasks[0].error = "ERROR", "out of space"


def _replication(**changes: object) -> Begin:
    def act(box: LabNas, now: float) -> None:
        for name, value in changes.items():
            setattr(box.replications[0], name, value)

    return act


def _endless(box: LabNas, now: float) -> None:
    box.replications[0].state, box.replications[0].began = "RUNNING", now - 5 * _DAY_S


def _alert(klass: str, level: str, text: str) -> Begin:
    return lambda box, now: box.alerts.append(LabAlert(klass, level, text, now - 60))


def _key_expired(box: LabNas, now: float) -> None:
    for user in box.users:
        user.expired = True


def _no_rights(box: LabNas, now: float) -> None:
    for user in box.users:
        user.roles = frozenset()


def _all() -> Iterator[NasFault]:
    answers, start = ("answers",), (START,)
    yield NasFault("nas-off", "nothing of it answers, and its VM runs", start, _weather(down=True), stops=True)
    yield NasFault("nas-starting", "it is still starting", start, _weather(starting=True), stops=True)
    yield NasFault("nas-shut-out", "it lets this machine not in", answers, _weather(shut_out=True), stops=True)
    yield NasFault("nas-standby", "it is the standby controller", answers, _weather(standby=True), stops=True)
    yield NasFault("nas-drops", "it breaks every connection off", start, _weather(drop="pool.query"), stops=True)
    yield NasFault("nas-key-expired", "the key is expired", answers, _key_expired, stops=True)
    yield NasFault("nas-no-rights", "the key's user has no privilege", answers, _no_rights, stops=True)
    yield NasFault("nas-pool-degraded", "a disk of its pool is gone", ("pools",), _degraded, well=False, stops=True)
    yield NasFault("nas-pool-not-imported", "its pool is not imported", ("pools",), _not_imported, well=False, stops=True)
    suspended = _pool(status="SUSPENDED", healthy=False, code="IO_FAILURE_WAIT")
    yield NasFault("nas-pool-suspended", "its pool waits for a disk", ("pools",), suspended, well=False, stops=True)
    warned = _pool(warning=True, code="HOSTID_MISMATCH", says="The pool was last used by another system.")
    yield NasFault("nas-pool-warns", "its pool was used by another system", ("pools",), warned, stops=True)
    yield NasFault("nas-pool-checksums", "a disk counts checksum errors", ("pools",), _checksums, stops=True)
    yield NasFault("nas-pool-full", "its pool is full", ("pools",), _pool(free=100 * GIB), stops=True)
    yield NasFault("nas-scrub-errors", "the last scrub left errors", ("pools",), _scrub_errors, stops=True)
    yield NasFault("nas-scrub-old", "it was not scrubbed for long", ("scrubs",), _scrub_old)
    yield NasFault("nas-scrub-never", "it was never scrubbed", ("scrubs",), _pool(scan=None))
    yield NasFault("nas-dataset-locked", "the backups' dataset is locked", ("datasets", "exports"), _locked, stops=True)
    yield NasFault("nas-dataset-unmounted", "the backups' dataset is not mounted", ("datasets", "exports"), _unmounted, stops=True)
    yield NasFault("nas-dataset-gone", "the backups' dataset is gone", ("datasets", "exports"), _dataset_gone, stops=True)
    yield NasFault("nas-export-gone", "the backups' export is gone", ("exports",), _export_gone, stops=True)
    yield NasFault("nas-export-off", "the backups' export is switched off", ("exports",), _export_off, stops=True)
    yield NasFault("nas-share-gone", "an SMB share is gone", ("exports",), _share_gone)
    yield NasFault("nas-export-not-shown", "its API has the backups' export, NFS has not", ("exports",), _not_shown, stops=True)
    yield NasFault("nas-share-not-shown", "its API has an SMB share, its SMB server does not", ("exports",), _share_not_shown)
    yield NasFault("nas-share-empty", "an SMB share of a dataset with data shows nothing", ("exports",), _share_bare)
    yield NasFault("nas-nfs-stopped", "its NFS server does not run", ("services",), _service("nfs"), stops=True)
    yield NasFault("nas-smb-stopped", "its SMB server does not run", ("services",), _service("cifs"))
    yield NasFault("nas-snapshots-stopped", "no snapshot was made for days", ("snapshots",), _snapshots_stopped)
    yield NasFault("nas-snapshot-task-failed", "its snapshot task fails", ("snapshots",), _task_failed)
    refused = _replication(state="ERROR", error="connection refused")
    yield NasFault("nas-replication-failed", "its replication fails", ("replication",), refused)
    yield NasFault("nas-replication-endless", "its replication does not end", ("replication",), _endless)
    smart = _alert("SMARTUncorrectedErrors", "WARNING", "Disk sda has 8 uncorrected errors")
    yield NasFault("nas-disk-failing", "a disk has errors, which it ranks as a warning", ("disks",), smart)
    ups = _alert("UPSOnBattery", "CRITICAL", "UPS is on battery power")
    yield NasFault("nas-alert", "it has an alert that is critical", ("alerts",), ups)
    refuse = _weather(refuse="pool.query")
    yield NasFault("nas-may-not-ask", "its user may not ask for pools", ("pools", "scrubs"), refuse, stops=True)


NAS_FAULTS = {fault.name: fault for fault in _all()}
