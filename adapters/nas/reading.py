"""The server's answers as results, one reader for each question. Unknown fields are let be; what is missing is None.

A row without its name, or an answer that is no list, is no answer: nobody could say what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from adapters.nas.fields import mapping, measure, moment, name, names, number, parsed, rows, text, truth
from adapters.nas.results import (
    Alert,
    Dataset,
    DiskTest,
    Heard,
    NfsExport,
    Pool,
    Replication,
    Scan,
    ScrubTask,
    Service,
    SmbShare,
    SnapshotTask,
    Unheard,
)
from adapters.nas.wording import RpcError

T = TypeVar("T")
_DEEPEST = 6
_WORDS = {"RUNNING": True, "STOPPED": False}


def listed(answer: Any, method: str, read: Callable[[dict[str, Any]], T | None]) -> Heard[T]:
    """Every row of an answer; Unheard for an error, for no list, and when a row lacks what it is about."""
    if isinstance(answer, RpcError):
        return answer.unheard(method)
    if not isinstance(answer, list):
        return Unheard(f"{method}: the answer is no list")
    found = []
    for row in answer:
        one = read(row) if isinstance(row, dict) else None
        if one is None:
            return Unheard(f"{method}: a row says not what it is about")
        found.append(one)
    return tuple(found)


def pool(row: dict[str, Any]) -> Pool | None:
    """One row of pool.query."""
    if not name(row.get("name")):
        return None
    return Pool(
        name(row["name"]), name(row.get("status")), truth(row.get("healthy")), truth(row.get("warning")),
        name(row.get("status_code")), text(row.get("status_detail")), number(row.get("size")), number(row.get("free")),
        _scan(row.get("scan")), tuple(_odd(row.get("topology"))),
    )  # fmt: skip


def _scan(value: Any) -> Scan | None:
    if not isinstance(value, dict):
        return None
    return Scan(
        name(value.get("function")), name(value.get("state")), moment(value.get("start_time")), moment(value.get("end_time")),
        number(value.get("errors")), measure(value.get("percentage")), value.get("pause") is not None,
    )  # fmt: skip


def _odd(topology: Any) -> Iterator[str]:
    """Leaves that are not as they should be. A spare says AVAIL when it waits, INUSE when it stands in."""
    for part, devices in mapping(topology).items():
        for leaf in _leaves(devices, _DEEPEST):
            stats, status = mapping(leaf.get("stats")), name(leaf.get("status")) or "in no known state"
            gone = mapping(leaf.get("unavail_disk"))
            called = text(leaf.get("disk") or gone.get("name") or leaf.get("device") or leaf.get("name") or "a disk")
            serial = f" (serial {text(gone.get('serial'))})" if text(gone.get("serial")) else ""
            counts = {kind: number(stats.get(f"{kind}_errors")) for kind in ("read", "write", "checksum")}
            counted = [f"{many} {kind} errors" for kind, many in counts.items() if many]
            if status not in ("ONLINE", "AVAIL"):
                yield f"{called}{serial} of {part} is {status}{': ' if counted else ''}{', '.join(counted)}"
            elif counted:
                yield f"{called} of {part}: {', '.join(counted)}"


def _leaves(devices: Any, deeper: int) -> Iterator[dict[str, Any]]:
    """The disks under vdevs; below a depth that no pool has everything is a leaf."""
    for device in rows(devices):
        children = rows(device.get("children"))
        if children and deeper:
            yield from _leaves(children, deeper - 1)
        else:
            yield device


def dataset(row: dict[str, Any]) -> Dataset | None:
    """One row of pool.dataset.query; its children come as rows of their own."""
    called = name(row.get("id")) or name(row.get("name"))
    if not called:
        return None
    only = parsed(row.get("readonly"))
    return Dataset(
        called, name(row.get("pool")) or called.split("/")[0], truth(row.get("locked")), name(row.get("mountpoint")),
        row.get("encrypted") is True, name(mapping(row.get("key_format")).get("value")), number(parsed(row.get("available"))),
        truth(only), used=number(parsed(row.get("usedbydataset"))),
    )  # fmt: skip


def nfs_export(row: dict[str, Any]) -> NfsExport | None:
    """One row of sharing.nfs.query."""
    if not name(row.get("path")):
        return None
    return NfsExport(
        name(row["path"]), truth(row.get("enabled")), truth(row.get("locked")), truth(row.get("ro")),
        names(row.get("networks")), names(row.get("hosts")),
    )  # fmt: skip


def smb_share(row: dict[str, Any]) -> SmbShare | None:
    """One row of sharing.smb.query; 25.04 says `ro`, later ones `readonly`."""
    if not name(row.get("name")):
        return None
    only = truth(row.get("readonly", row.get("ro")))
    return SmbShare(name(row["name"]), name(row.get("path")), truth(row.get("enabled")), truth(row.get("locked")), only)


def service(row: dict[str, Any]) -> Service | None:
    """One row of service.query."""
    if not name(row.get("service")):
        return None
    return Service(name(row["service"]), _WORDS.get(name(row.get("state"))), truth(row.get("enable")))


def scrub_task(row: dict[str, Any]) -> ScrubTask | None:
    """One row of pool.scrub.query."""
    if not name(row.get("pool_name")):
        return None
    return ScrubTask(name(row["pool_name"]), truth(row.get("enabled")), number(row.get("threshold")))


def snapshot_task(row: dict[str, Any]) -> SnapshotTask | None:
    """One row of pool.snapshottask.query."""
    if not name(row.get("dataset")):
        return None
    state, cron = mapping(row.get("state")), mapping(row.get("schedule"))
    fields = [name(cron.get(part)) for part in ("minute", "hour", "dom", "month", "dow")]
    return SnapshotTask(
        name(row["dataset"]), row.get("recursive") is True, truth(row.get("enabled")), " ".join(fields) if all(fields) else "",
        name(state.get("state")), moment(state.get("datetime")), text(state.get("error")), names(row.get("exclude")),
    )  # fmt: skip


def replication(row: dict[str, Any]) -> Replication | None:
    """One row of replication.query."""
    called = text(row.get("name"))
    if not called:
        return None
    state, job, warned = mapping(row.get("state")), mapping(row.get("job")), mapping(row.get("state")).get("warnings")
    return Replication(
        called, truth(row.get("enabled")), names(row.get("source_datasets")), name(row.get("target_dataset")),
        name(row.get("direction")), row.get("auto") is True, name(state.get("state")), moment(state.get("datetime")),
        text(state.get("error") or state.get("reason")), text(state.get("last_snapshot")),
        tuple(filter(None, map(text, warned))) if isinstance(warned, list) else (), moment(job.get("time_started")),
    )  # fmt: skip


def alert(row: dict[str, Any]) -> Alert | None:
    """One row of alert.list; `formatted` may be null, `text` then has the words."""
    if not name(row.get("klass")):
        return None
    said = text(row.get("formatted")) or text(row.get("text"))
    return Alert(name(row["klass"]), name(row.get("level")), said, moment(row.get("datetime")), row.get("dismissed") is True)


def disk_test(row: dict[str, Any]) -> DiskTest | None:
    """One row of smart.test.results (25.04); the newest test comes first."""
    if not name(row.get("disk")):
        return None
    newest = next(iter(rows(row.get("tests"))), {})
    return DiskTest(name(row["disk"]), name(newest.get("status")), text(newest.get("status_verbose")))
