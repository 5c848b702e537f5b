"""The calls about tasks: lists, states, logs, and stopping one. A caller sees its own, and those of hosts it may audit."""

from __future__ import annotations

import re
from typing import Any

from lab.wire.proxmox.reading import Args, Handler
from lab.world.pve.access import Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.tasks import LabTask

_NO_TASK = {"upid": "no such task"}
_UPID = re.compile(
    r"UPID:[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:"
)


class Listed(list[dict[str, Any]]):
    """Rows out of more; `total` stands beside them in the answer."""

    def __init__(self, rows: list[dict[str, Any]], total: int) -> None:
        super().__init__(rows)
        self.total = total


class TaskCalls:
    """The task calls over one cluster."""

    def __init__(self, pve: LabProxmox) -> None:
        self._pve = pve
        self.handlers: dict[str, Handler] = {
            "GET /cluster/tasks": self.cluster_tasks,
            "GET /nodes/{node}/tasks": self.tasks,
            "GET /nodes/{node}/tasks/{upid}/status": self.task,
            "GET /nodes/{node}/tasks/{upid}/log": self.log,
            "DELETE /nodes/{node}/tasks/{upid}": self.stop,
        }

    def cluster_tasks(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Recent and running tasks of every host that is up."""
        hosts = (host for host in self._pve.hosts.values() if host.online)
        return [_task_row(task) for host in hosts for task in self._pve.tasks.of(host.name) if self._sees(actor, task)]

    def tasks(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Finished tasks by default; running ones with source active or all."""
        host, source = self._pve.reach(str(args["node"])), args.get("source", "archive")
        rows = [
            _task_row(task)
            for task in self._pve.tasks.of(host.name)
            if self._sees(actor, task)
            and (source == "all" or task.running == (source == "active"))
            and ("vmid" not in args or task.target == str(args["vmid"]))
            and args.get("typefilter", task.kind) == task.kind
            and not (args.get("errors") and task.exit_status == "OK")
            and str(args.get("userfilter", "")).lower() in task.user.lower()
            and int(args.get("since", 0)) <= task.started <= int(args.get("until", 1 << 40))
            and ("statusfilter" not in args or _kind(task) in re.split(r"[,;\s]+", str(args["statusfilter"])))
        ]
        start = int(args.get("start", 0))
        return Listed(rows[start : start + (int(args.get("limit", 50)) or len(rows))], len(rows))

    def task(self, actor: str, args: Args) -> dict[str, Any]:
        """One task; the exit status only once it has ended."""
        task = self._one(actor, args, "Sys.Audit")
        row = _task_row(task)
        user, _, token = task.user.partition("!")
        row |= {"user": user} | ({"tokenid": token} if token else {})
        row.pop("saved", None)
        row |= {"status": "running" if task.running else "stopped", "pid": task.pid, "pstart": task.pstart}
        row.pop("endtime", None)
        return row if task.running else row | {"exitstatus": task.exit_status}

    def log(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Numbered lines; an empty log has the one line that says so."""
        try:
            lines = self._one(actor, args, "Sys.Audit").log or ["no content"]
        except Refusal as no:
            if no.errors != _NO_TASK:
                raise
            lines = ["unable to open file - No such file or directory"]
        start = int(args.get("start", 0))
        numbered = [{"n": number, "t": line} for number, line in enumerate(lines, 1)]
        return Listed(numbered[start : start + (int(args.get("limit", 50)) or len(lines))], len(lines))

    def _one(self, actor: str, args: Args, privilege: str) -> LabTask:
        upid = str(args["upid"])
        if not _UPID.fullmatch(upid):
            raise parameter_refusal(upid="unable to parse worker upid")
        task = self._pve.tasks.find(upid)
        # Each host has the files of its own tasks alone.
        if task is None or task.host != args["node"]:
            raise parameter_refusal(**_NO_TASK)
        if not _owns(actor, task):
            self._pve.access.require(actor, f"/nodes/{task.host}", privilege)
        return task

    def stop(self, actor: str, args: Args) -> None:
        """Stop a running task."""
        self._pve.tasks.stop(self._one(actor, args, "Sys.Modify"))

    def _sees(self, actor: str, task: LabTask) -> bool:
        return _owns(actor, task) or self._pve.access.may(actor, f"/nodes/{task.host}", "Sys.Audit")


def _owns(actor: str, task: LabTask) -> bool:
    return task.user == actor or task.user.partition("!")[0] == actor


def _kind(task: LabTask) -> str:
    """How it ended, in the words of a filter."""
    if task.running:
        return "unknown"
    return "ok" if task.exit_status == "OK" else "warning" if task.exit_status.startswith("WARNINGS") else "error"


def _task_row(task: LabTask) -> dict[str, Any]:
    user, _, token = task.user.partition("!")
    row: dict[str, Any] = {
        "upid": task.upid,
        "node": task.host,
        "pid": task.pid,
        "starttime": int(task.started),
        "type": task.kind,
        "id": task.target,
        "user": user,
        "pstart": task.pstart,
    }
    if task.ended is None:
        # A list of running tasks names the token with its user, and everything else apart.
        return row | {"status": "RUNNING", "user": task.user, "saved": "0"}
    if token:
        row["tokenid"] = token
    return row | {"endtime": int(task.ended), "status": task.exit_status}
