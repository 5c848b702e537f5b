"""What each health code of Ceph means for a restore. Ceph's own severity is not that: two OSDs of three lost are a warning."""

from __future__ import annotations

from cluster.storage.findings import Weight

STOPS = frozenset({
    "MON_DISK_CRIT", "MGR_DOWN", "OSD_ROOT_DOWN", "OSD_FULL", "OSD_BACKFILLFULL", "OSD_OUT_OF_ORDER_FULL", "OSD_SCRUB_ERRORS",
    "OSD_NO_DOWN_OUT_INTERVAL_FULL", "PG_AVAILABILITY", "PG_DAMAGED", "PG_DEGRADED_FULL", "PG_RECOVERY_FULL", "PG_BACKFILL_FULL",
    "OBJECT_UNFOUND", "SLOW_OPS", "POOL_FULL", "POOL_BACKFILLFULL",
    "FS_DEGRADED", "FS_WITH_FAILED_MDS", "MDS_ALL_DOWN", "MDS_DAMAGE", "MDS_UP_LESS_THAN_MAX",
})  # fmt: skip
TOLD = frozenset({
    "MON_DOWN", "MON_CLOCK_SKEW", "MON_DISK_LOW", "MGR_MODULE_ERROR", "MGR_MODULE_DEPENDENCY", "OSD_DOWN", "OSD_HOST_DOWN",
    "OSD_NEARFULL", "OSD_FLAGS", "OSD_TOO_MANY_REPAIRS", "PG_DEGRADED", "POOL_NEARFULL", "POOL_NEAR_FULL", "POOL_NO_REDUNDANCY",
    "RECENT_CRASH", "RECENT_MGR_MODULE_CRASH", "DEVICE_HEALTH", "DEVICE_HEALTH_IN_USE", "DAEMON_OLD_VERSION", "TOO_MANY_PGS",
    "MDS_SLOW_REQUEST", "MDS_SLOW_METADATA_IO",
})  # fmt: skip
HARMLESS = frozenset({
    "MDS_INSUFFICIENT_STANDBY", "MON_MSGR2_NOT_ENABLED", "MON_DISK_BIG", "PG_NOT_SCRUBBED", "PG_NOT_DEEP_SCRUBBED",
    "OBJECT_MISPLACED", "LARGE_OMAP_OBJECTS", "POOL_APP_NOT_ENABLED", "POOL_PG_NUM_NOT_POWER_OF_TWO", "POOL_TOO_FEW_PGS",
    "POOL_TOO_MANY_PGS", "TOO_FEW_PGS", "TELEMETRY_CHANGED",
})  # fmt: skip
_HARMLESS_KIN = ("AUTH_INSECURE_",)
STOPPING_FLAGS = frozenset({"pause", "pauserd", "pausewr", "full"})
"""Flags of the whole map with which every write hangs."""
OPERATOR_BLIND = "error"
"""No code of Ceph's: Rook's operator writes it where it gets no answer."""
HINTS = {
    "OSD_DOWN": "start it, or its host; what it holds has fewer copies until then",
    "OSD_FULL": "writes hang: free space or add disks; ceph osd df says which",
    "OSD_BACKFILLFULL": "free space or add disks before anything large is written; ceph osd df says which",
    "OSD_NEARFULL": "see ceph osd df: what is restored must fit below the full ratio",
    "OSD_OUT_OF_ORDER_FULL": "set the ratios in their order: ceph osd set-nearfull-ratio, set-backfillfull-ratio, set-full-ratio",
    "OSD_SCRUB_ERRORS": "ceph health detail names the group; whether to repair it is decided before anything is written",
    "PG_DAMAGED": "ceph health detail names the group; whether to repair it is decided before anything is written",
    "PG_AVAILABILITY": "start the OSDs that hold it: reads and writes of it hang until then",
    "OBJECT_UNFOUND": "start the OSDs that may hold it before any of it is given up",
    "SLOW_OPS": "find the disk or the network behind it (ceph health detail), and wait until it is gone",
    "POOL_FULL": "raise its quota or free space: writes hang",
    "MGR_DOWN": "start a manager: without one every number here is as old as the last one's end",
    "MDS_ALL_DOWN": "start a metadata server: CephFS serves nothing without one",
    "MDS_UP_LESS_THAN_MAX": "start another metadata server, or set max_mds to what there are",
    "MON_DOWN": "start the monitor, or its host",
    "MON_DISK_CRIT": "free space on the monitor's disk: it is about to stop",
    "MON_CLOCK_SKEW": "compare the clocks of the monitors' hosts",
    "POOL_NO_REDUNDANCY": "what is restored into it has one copy",
    OPERATOR_BLIND: "the operator cannot ask Ceph: see its log, and the monitors",
}


def weight_of(code: str, severity: str) -> Weight:
    """By the code where it is known; of one that is not, an error stops and a warning is told."""
    if code == OPERATOR_BLIND:
        return Weight.UNKNOWN
    if code in STOPS:
        return Weight.BLOCKS
    if code in TOLD:
        return Weight.NOTED
    if code in HARMLESS or code.startswith(_HARMLESS_KIN):
        return Weight.FINE
    return {"HEALTH_WARN": Weight.NOTED, "HEALTH_ERR": Weight.BLOCKS}.get(severity, Weight.UNKNOWN)


def of_filesystems(code: str) -> bool:
    """Whether a code speaks of CephFS alone: block devices do not wait for it."""
    return code.startswith(("MDS_", "FS_"))
