"""Which methods a box has, in which releases, who may call them, and which are jobs. Knows no answer.

Roles as the middleware's own decorators have them. What real boxes have besides is refused here as unknown: it is not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.wire.truenas.forms import V25_04, V25_10, V26, Release
from lab.world.nas import FULL, READ_ONLY

EVERY: tuple[Release, ...] = (V25_04, V25_10, V26)
BEFORE_LOGIN, ANY_LOGIN = ("before login",), ("any login",)


@dataclass(frozen=True)
class Method:
    """One method. `hidden` are releases in which it is there and private: who is no full admin gets EACCES for it."""

    roles: tuple[str, ...]
    releases: tuple[Release, ...] = EVERY
    job: bool = False
    hidden: tuple[Release, ...] = ()
    query: bool = False

    def open_in(self, release: Release) -> bool:
        """Whether it may be called without a login in this release."""
        return self.roles == BEFORE_LOGIN


def _read(role: str, *releases: Release, query: bool = True, hidden: tuple[Release, ...] = ()) -> Method:
    return Method((role, READ_ONLY), releases or EVERY, query=query, hidden=hidden)


METHODS: dict[str, Method] = {
    "auth.login_ex": Method(BEFORE_LOGIN),
    "auth.login_with_api_key": Method(BEFORE_LOGIN),
    "auth.login": Method(BEFORE_LOGIN),
    "auth.mechanism_choices": Method(BEFORE_LOGIN),
    "auth.me": Method(ANY_LOGIN),
    "auth.logout": Method(ANY_LOGIN),
    "core.set_options": Method(BEFORE_LOGIN),
    "core.ping": Method(BEFORE_LOGIN),
    "core.subscribe": Method(ANY_LOGIN),
    "core.unsubscribe": Method(ANY_LOGIN),
    "core.get_jobs": Method(ANY_LOGIN, query=True),
    "core.job_wait": Method(ANY_LOGIN, job=True),
    "config.save": Method((FULL,), job=True),
    "system.version": Method(ANY_LOGIN),
    "system.version_short": Method(ANY_LOGIN),
    "system.info": Method((READ_ONLY,)),
    "system.ready": Method(("SYSTEM_GENERAL_READ", READ_ONLY)),
    "system.state": Method(("SYSTEM_GENERAL_READ", READ_ONLY)),
    "pool.query": _read("POOL_READ"),
    "pool.get_instance": _read("POOL_READ", query=False),
    "pool.scrub.query": _read("POOL_SCRUB_READ"),
    "pool.dataset.query": _read("DATASET_READ"),
    "pool.dataset.encryption_summary": Method(("DATASET_READ", READ_ONLY), job=True),
    "pool.snapshottask.query": _read("SNAPSHOT_TASK_READ"),
    "pool.snapshot.query": _read("SNAPSHOT_READ", V25_10, V26),
    "zfs.snapshot.query": _read("SNAPSHOT_READ", V25_04, hidden=(V25_10,)),
    "zfs.resource.snapshot.query": _read("SNAPSHOT_READ", V26, query=False),
    "replication.query": _read("REPLICATION_TASK_READ"),
    "sharing.nfs.query": _read("SHARING_NFS_READ"),
    "sharing.smb.query": _read("SHARING_SMB_READ"),
    "service.query": _read("SERVICE_READ"),
    "alert.list": _read("ALERT_LIST_READ", query=False),
    "disk.query": _read("DISK_READ"),
    "disk.temperatures": _read("REPORTING_READ", query=False),
    "boot.get_state": Method((READ_ONLY,)),
    "cloudsync.query": _read("CLOUD_SYNC_READ"),
    "vm.query": _read("VM_READ"),
    "app.query": _read("APPS_READ"),
    "virt.instance.query": _read("VIRT_INSTANCE_READ", V25_04, V25_10),
    "container.query": _read("CONTAINER_READ", V26),
    "cronjob.query": _read("SYSTEM_CRON_READ"),
    "rsynctask.query": _read("RSYNC_TASK_READ"),
    "initshutdownscript.query": _read("SYSTEM_CRON_READ"),
    "staticroute.query": _read("NETWORK_INTERFACE_READ"),
    "iscsi.target.query": _read("SHARING_ISCSI_TARGET_READ"),
    "iscsi.extent.query": _read("SHARING_ISCSI_EXTENT_READ"),
    "iscsi.targetextent.query": _read("SHARING_ISCSI_TARGETEXTENT_READ"),
    "iscsi.portal.query": _read("SHARING_ISCSI_PORTAL_READ"),
    "iscsi.initiator.query": _read("SHARING_ISCSI_INITIATOR_READ"),
    "smb.status": _read("SHARING_SMB_READ", V25_04, V26, query=False),
    "directoryservices.status": Method(ANY_LOGIN),
    "update.status": _read("SYSTEM_UPDATE_READ", V25_10, V26, query=False),
    "system.global.id": Method((READ_ONLY,)),
    "service.started": _read("SERVICE_READ", query=False),
    "system.product_type": Method(("SYSTEM_PRODUCT_READ", READ_ONLY)),
    "system.host_id": Method((READ_ONLY,)),
    "filesystem.statfs": _read("FILESYSTEM_ATTRS_READ", query=False),
    "smart.test.results": _read("REPORTING_READ", V25_04),
    "filesystem.stat": _read("FILESYSTEM_ATTRS_READ", query=False),
    "filesystem.listdir": _read("FILESYSTEM_ATTRS_READ"),
    "pool.dataset.get_instance": _read("DATASET_READ", query=False),
    "sharing.nfs.get_instance": _read("SHARING_NFS_READ", query=False),
    "sharing.smb.get_instance": _read("SHARING_SMB_READ", query=False),
    "pool.snapshottask.get_instance": _read("SNAPSHOT_TASK_READ", query=False),
    "replication.get_instance": _read("REPLICATION_TASK_READ", query=False),
    "service.get_instance": _read("SERVICE_READ", query=False),
}

NONE_OF_THEM = frozenset({
    "cloudsync.query", "vm.query", "app.query", "virt.instance.query", "container.query", "cronjob.query", "rsynctask.query",
    "initshutdownscript.query", "staticroute.query", "iscsi.target.query", "iscsi.extent.query", "iscsi.targetextent.query",
    "iscsi.portal.query", "iscsi.initiator.query",
})  # fmt: skip
"""Lists of what this box has none of."""

# A 25.04 path on a newer box: these were never given a model there, so it cannot translate them.
UNTRANSLATED = frozenset({
    "system.info", "system.version", "system.state", "pool.get_instance", "auth.login_with_api_key", "boot.get_state",
    "disk.temperatures", "service.started",
})  # fmt: skip
MODELLESS = {
    "pool.query": "PoolQueryResult", "pool.dataset.query": "PoolDatasetQueryResult", "service.query": "ServiceQueryResult",
    "replication.query": "ReplicationQueryResult", "sharing.smb.query": "SharingSMBQueryResult",
    "core.get_jobs": "CoreGetJobsResult", "disk.query": "DiskQueryResult", "cloudsync.query": "CloudSyncQueryResult",
}  # fmt: skip


def listed(version: str) -> list[str]:
    """What /api/versions of a box of this version answers: a path of each patch before the last one, as they were released."""
    year, month, rest = version.split(".", 2)
    patch = int(rest.split(".")[0].split("-")[0])
    release = (int(year), int(month))
    first = [f"v25.04.{number}" for number in range(min(patch, 2) + 1 if release == V25_04 else 3)]
    if release == V25_04:
        return first
    if release == V25_10:
        return first + [f"v25.10.{number}" for number in range(max(patch, 1))]
    return first + [f"v25.10.{number}" for number in range(5)] + [f"v26.{release[1]}.{number}" for number in range(patch + 1)]


def release_of(path: str, version: str) -> Release | None:
    """The release that a path of the API speaks, None for a path that the box does not have."""
    entry = path.removeprefix("/api/")
    year, month = version.split(".")[:2]
    if entry == "current":
        return int(year), int(month)
    if entry not in listed(version):
        return None
    year, month, _ = entry.removeprefix("v").split(".")
    return int(year), int(month)
