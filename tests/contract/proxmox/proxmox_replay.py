"""Plays recorded requests of Proxmox VE's own API code to the lab's door, in process, and tells what is answered otherwise.

What is compared: status, reason, the parameters that are refused and the words for each, every value of the body but those that
FREE names (of them the kind), how a task ends, and its log without what a clock or a counter writes into it. We may say more
than was recorded. Time passes on a clock that only a sleep moves.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lab.wire.https import Reply, Request
from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from lab.world.disks import GIB, LabStorage
from lab.world.images import make_qcow2
from lab.world.pve.cluster import LabHost, LabProxmox
from lab.world.world import World
from tests.contract.proxmox.proxmox_doors import HandClock

BESIDE = Path(__file__).parents[3].parent / "shared" / "facts" / "pve-recordings"
RECORDED = Path(os.environ.get("BLACKSTART_PVE_RECORDINGS", BESIDE))
Row = dict[str, Any]
# In the order in which they were played: each group finds what those before it left.
GROUPS = ("access", "looking", "images", "making", "changing", "power", "tasks", "more", "removing", "noquorum")
# Rows whose task the recorder did not wait for before it sent the next request.
AT_ONCE = frozenset({"create", "create one more", "create it again"})
# Seconds that passed before a row, by the times in the recorded tasks' ids.
PAUSES = {"start with the agent": 6.0, "start a third time": 6.0, "stop in the end": 20.0}
PASSWORD = "recorded once"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ORIGIN = "192.0.2.1:8443"
# Values of the recorder's machine, and of its clock and counters.
FREE = frozenset({
    "ticket", "CSRFPreventionToken", "repoid", "pveversion", "kversion", "current-kernel", "boot-info", "loadavg", "timezone",
    "model", "vendor", "flags", "mhz", "hvm", "cpu", "uptime", "mem", "maxmem", "disk", "maxdisk", "netin", "used", "used_fraction",
    "free", "total", "avail", "available", "time", "localtime", "ctime", "starttime", "endtime", "pid", "pstart",
})  # fmt: skip
UPID = re.compile(r"UPID:([\w-]+)(?::[0-9A-F]{8}){3}(:.*)")
MADE = re.compile(
    r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}|BC:24:11(:[0-9A-F]{2}){3}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{40}\b|"
    r"\bcreation-qemu=[\d.]+,ctime=\d+|<token secret>"
)
"""Fingerprints, cards' addresses, identities, digests and secrets: made by chance, or out of the rest."""


def recorded(group: str) -> list[Row]:
    """The rows of one group."""
    rows: list[Row] = json.loads((RECORDED / f"{group}.json").read_text())
    return rows


class Replay:
    """One host as the recorder found it, with its door. `sent` keeps each row's answer."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.pve = LabProxmox(World(self.clock), "", "9.2.11")
        self.pve.add_host(LabHost("pve-1", cpus=2, fingerprint=":".join(["AB"] * 32)))
        for name, path, content, total in (
            ("local", "/var/lib/vz", "backup,vztmpl,iso", 250 * GIB),
            ("tank", "/mnt/tank", "images,rootdir", 250 * GIB),
            ("small", "/mnt/small", "images,import,iso", 192 << 10),
        ):
            self.pve.storages.add(LabStorage(name, "dir", frozenset(content.split(",")), total, path=path), "pve-1")
        self.pve.access.users["root@pam"].password = PASSWORD
        for name, key, value in (("small", "is_mountpoint", "yes"), ("local", "prune-backups", "keep-all=1")):
            self.pve.storages.every(name)[0].options[key] = value
        self.pve.hears = lambda vm: False  # the recorder's image had nothing inside
        self._publish()
        for name, seconds in (("create_s", 2.0), ("import_s", 1.0), ("download_s", 0.2), ("stop_s", 0.5), ("destroy_s", 0.2)):
            setattr(self.pve.delays, name, seconds)
        self.door = ProxmoxDoor(self.pve, LabCA(folder), {})
        self.words: dict[str, str] = {}
        self._logins: dict[str, dict[str, str]] = {"nobody": {}}
        self._waiting: list[tuple[Row, str]] = []

    def _publish(self) -> None:
        images, at = self.pve.images, "/image/s/v1.13.9"
        images.origins = {ORIGIN: "", "192.0.2.1:8444": "untrusted"}
        self.sum = images.publish(f"{at}/nocloud-amd64.qcow2", make_qcow2(4563402752, b"talos"))
        images.publish(f"{at}/fat-amd64.qcow2", make_qcow2(400 << 20, b"fat"))
        images.publish(f"{at}/text.qcow2", b"only words\n")

    # What is sent.

    def play(self, group: str) -> Iterator[tuple[Row, list[str]]]:
        """Each row of a group with what our answer has otherwise than the recorded one."""
        if group == "noquorum":
            self._lose_quorum()
        for row in recorded(group):
            self.clock.sleep(PAUSES.get(row["name"], 0.0))
            yield row, self._compare(row, self.send(row))
        for row, upid in self._waiting:
            yield row, self._compare_task(row, upid)
        self._waiting.clear()

    def send(self, row: Row) -> Reply:
        """One row's request, by whom it was sent."""
        asked = row["request"]
        path = asked["path"]
        for theirs, ours in self.words.items() if "/UPID" in path else ():
            path = path.replace(quote(theirs, safe=""), quote(ours, safe=""))
        form = {key: self._ours(str(value)) for key, value in (asked["form"] or {}).items()}
        reply = self.ask(asked["method"], path, form, self._credentials(row["as"], asked["method"]))
        if row["name"] == "make token" and reply.status == 200:
            value = json.loads(reply.body)["data"]["value"]
            self._logins["token"] = {"Authorization": f"PVEAPIToken=blackstart@pve!run={value}"}
        return reply

    def ask(self, method: str, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """One request to the door."""
        text = urlencode(form)
        body = b"" if method in ("GET", "DELETE") else text.encode()
        target = "/api2/json" + path + (f"?{text}" if text and not body else "")
        known = {name.lower(): value for name, value in {**headers, **(FORM if body else {})}.items()}
        return self.door.answer(Request(method, target, known, body))

    def _ours(self, value: str) -> str:
        return value.replace("<password>", PASSWORD).replace(THEIR_SUM, self.sum)

    def _credentials(self, who: str, method: str) -> dict[str, str]:
        if who in ("root", "root-no-csrf"):
            if "root" not in self._logins:
                reply = self.ask("POST", "/access/ticket", {"username": "root@pam", "password": PASSWORD}, {})
                made = json.loads(reply.body)["data"]
                cookie = "PVEAuthCookie=" + quote(made["ticket"], safe="")
                self._logins["root-no-csrf"] = {"Cookie": cookie}
                self._logins["root"] = {"Cookie": cookie, "CSRFPreventionToken": made["CSRFPreventionToken"]}
            return self._logins[who]
        wrong = {
            "token-wrong": "PVEAPIToken=blackstart@pve!run=wrong",
            "token-unknown": "PVEAPIToken=blackstart@pve!nope=wrong",
            "token-malformed": "PVEAPIToken=blackstart",
        }
        return {"Authorization": wrong[who]} if who in wrong else self._logins[who]

    def _lose_quorum(self) -> None:
        """The same host, as one of two whose other half never came up, with one small VM of root's."""
        form = {"vmid": "8001", "name": "cp-1", "memory": "1024", "cores": "2", "scsi0": "tank:1", "net0": "virtio,bridge=vmbr0"}
        reply = self.ask("POST", "/nodes/pve-1/qemu", form, self._credentials("root", "POST"))
        self._end_of(json.loads(reply.body)["data"])
        self.pve.name = "rig"
        self.pve.hosts["pve-1"].mute = True
        self.pve.add_host(LabHost("pve-2", online=False, met=False))

    # What comes back.

    def _compare(self, row: Row, reply: Reply) -> list[str]:
        ours = json.loads(reply.body) if reply.body else None
        theirs = row["body"]
        problems = _differ("status", row["status"], reply.status)
        problems += _differ("reason", _plain(row["reason"]), _plain(reply.reason.split("\n")[0]))
        problems += _differ("errors", _errors(theirs), _errors(ours))
        problems += unlike(theirs, ours) if row["status"] == reply.status else []
        upid = str((theirs or {}).get("data") or "")
        if upid.startswith("UPID:") and reply.status == 200:
            self.words[upid] = str(ours["data"]) if ours else ""
            if row["name"] in AT_ONCE:
                self._waiting.append((row, self.words[upid]))
            else:
                problems += self._compare_task(row, self.words[upid])
        return problems

    def _compare_task(self, row: Row, upid: str) -> list[str]:
        end, log = self._end_of(upid)
        theirs_end, ours_end = dict(row["task"]["status"]), dict(end)
        problems = _differ("end", self._line(theirs_end.pop("exitstatus")), self._line(str(ours_end.pop("exitstatus", None))))
        problems += unlike(theirs_end, ours_end, "task")
        theirs = [line for line in map(self._line, row["task"]["log"]) if line]
        ours = [line for line in map(self._line, log) if line]
        return problems + _differ("log", theirs, ours)

    def _end_of(self, upid: str) -> tuple[dict[str, Any], list[str]]:
        root, path = self._credentials("root", "GET"), f"/nodes/pve-1/tasks/{quote(upid, safe='')}"
        for _ in range(2000):
            status = json.loads(self.ask("GET", path + "/status", {}, root).body)["data"] or {}
            if status.get("status") != "running":
                break
            self.clock.sleep(0.1)
        log = json.loads(self.ask("GET", path + "/log", {"limit": "0"}, root).body)["data"] or []
        return status, [str(line["t"]) for line in log]

    def _line(self, line: str) -> str:
        """A line of a log without what a clock, a counter or the image's own size writes into it; "" for mere progress."""
        if re.match(r"transferred |\s*\d+K |\s*$|qemu-img: error while writing at byte", line):
            return ""
        return _plain(line.replace(THEIR_SUM, self.sum))


THEIR_SUM = "e6be6107d11d3fa4d9fd1566a467570e4471b06d46e3477e4de3ebcfdf2e55f0"


def _plain(text: str) -> str:
    # A web server's own words for what is not there.
    text = text.replace("File not found", "Not Found")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text.strip())
    text = re.sub(r"\(\d+ .B/s\)|\[\d+/\d+\]|\.tmp_dwnl\.\d+|\.conf\.tmp\.\d+", "N", text)
    return re.sub(r"^Length: .*", "Length", text)


def _errors(body: Any) -> dict[str, str]:
    return {name: text.strip() for name, text in ((body or {}).get("errors") or {}).items()}


def unlike(theirs: Any, ours: Any, name: str = "body") -> list[str]:
    """What a recorded value has otherwise; below a name of FREE only kinds and keys count. Lists have the same rows, in any order.

    An object may have more keys than were recorded, unless none were.
    """
    if isinstance(theirs, list) and isinstance(ours, list):
        problems = _differ(f"rows of {name}", len(theirs), len(ours))
        return problems or _unlike_rows(theirs, list(ours), name)
    if isinstance(theirs, dict) and isinstance(ours, dict):
        lacking = sorted(set(theirs) - set(ours))
        problems = [f"{name} lacks {', '.join(lacking)}"] if lacking else _differ(name, {}, ours) if not theirs else []
        for key in theirs.keys() & ours.keys():
            problems += unlike(theirs[key], ours[key], name if name in FREE else key)
        return problems
    if (kinds := _differ(f"kind of {name}", _kind(theirs), _kind(ours))) or name in FREE:
        return kinds
    return _differ(name, _value(name, theirs), _value(name, ours))


def _unlike_rows(theirs: list[Any], ours: list[Any], name: str) -> list[str]:
    problems = []
    for row in theirs:
        at = min(range(len(ours)), key=lambda place: len(unlike(row, ours[place], name)))
        problems += unlike(row, ours.pop(at), name)
    return problems


def _kind(value: object) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


def _value(name: str, value: object) -> object:
    """A value without what chance and clocks make of it; lists of kinds of content have no order."""
    if not isinstance(value, str):
        return value
    return sorted(value.split(",")) if name == "content" else _plain(MADE.sub("MADE", UPID.sub(r"UPID:\1\2", value)))


def _differ(what: str, theirs: object, ours: object) -> list[str]:
    return [] if theirs == ours else [f"{what}: {theirs!r}, ours {ours!r}"]
