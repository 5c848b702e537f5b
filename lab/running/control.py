"""The running house's control socket: what a scenario or a person does to the house that no door of a real house offers.

One JSON object a line each way; the socket is 0600. Knows no command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import socketserver
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx

from engine.errors import BlackstartError, PermanentError
from engine.text.jsontext import Malformed, an_object, read
from lab.parts.errors import PartFailed
from lab.parts.kube import CLAIMS, ApiRefused
from lab.parts.supervisor import ProcessId
from lab.running import written
from lab.running.house import BUCKET, LabHouse
from lab.troubles import named as troubles
from lab.wire.proxmox.changing import METHODS
from lab.wire.s3.door import WRITES
from lab.world.faults import Fault

Message = dict[str, Any]
TIMEOUT_S = 60.0


MUTATIONS = frozenset(
    {f"proxmox.{method}" for method, _ in METHODS.values()}
    | {f"talos.{method}" for method in ("apply_config", "bootstrap_etcd", "fetch_kubeconfig")}
    | {f"s3.{method}" for method in WRITES}
)
"""`port.method` of every mutation at which a server of the lab plays faults."""


def can_strike(at: str) -> bool:
    """Whether a fault that is armed with this pattern can ever strike: one that cannot would let a rehearsal pass."""
    method, slash, _ = at.partition("/")
    if not slash:
        method, star, _ = at.partition("*")
        method += star  # without a star the pattern ends before the slash that every name has
        return bool(star) and any(fnmatchcase(name, method) for name in MUTATIONS)
    return any(fnmatchcase(name, method) for name in MUTATIONS)


class Control:
    """Answers at `path` between `start` and `close`. Deaths that faults play end the process named by `victim`."""

    def __init__(self, house: LabHouse, path: Path) -> None:
        self._house = house
        self._path = path
        self._victim: tuple[ProcessId, bool] | None = None
        self.deaths: list[str] = []
        self._commands: Mapping[str, Callable[[Message], Message]] = {
            "status": self._status,
            "arm": self._arm,
            "disarm": self._disarm,
            "forget": self._forget,
            "faults": self._faults,
            "history": self._history,
            "sent": self._sent,
            "victim": self._set_victim,
            "lose-everything": self._lose_everything,
            "digest": self._digest,
            "write": self._write,
            "spoil": self._spoil,
            "rot": self._rot,
            "keep-versions": self._keep_versions,
            "trouble": self._trouble,
        }
        house.world.on_death = self._die
        with _short(path) as short:
            short.unlink(missing_ok=True)
            self._server = _Server(str(short), self.answer)
            short.chmod(0o600)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)

    def start(self) -> Control:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def answer(self, message: Message) -> Message:
        """One command; a refusal is `{"error": …}`."""
        command = self._commands.get(str(message.get("do")))
        if command is None:
            return {"error": f"there is no command {message.get('do')!r}; known: {', '.join(sorted(self._commands))}"}
        try:
            return command(message)
        except BlackstartError as error:
            return {"error": error.what, "hint": error.hint}
        except (ApiRefused, httpx.HTTPError, KeyError, ValueError, OSError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _status(self, message: Message) -> Message:
        house = self._house
        with house.world.looking():
            vms = [
                {"id": vm.vm_id, "name": vm.name, "host": vm.host, "running": vm.running}
                for _, vm in sorted(house.proxmox.vms.items())
            ]
            machines = {
                m.name: {"address": m.address, "port": m.port.value, "stage": m.stage, "boots": m.boots, "stuck": m.stuck}
                for m in house.talos.machines.values()
            }
            tasks = [task.upid for task in house.proxmox.tasks.running()]
            unknown = [*house.pve_door.unknown, *house.talos.unknown, *house.s3.unknown]
        return {
            "vms": vms,
            "tasks": tasks,
            "machines": machines,
            "etcd": house.bridge.etcd(),
            "programs": house.cluster.supervisor.running(),
            "errors": house.cluster.errors + house.talos_door.problems,
            "unknown_calls": unknown,
            "assumed": house.cluster.assumed,
            "faults": self._faults(message),
        }

    def _arm(self, message: Message) -> Message:
        fault = Fault(message["fault"])
        if not can_strike(str(message["at"])):
            raise PermanentError(
                f"no mutation that goes over a wire has a name like {message['at']}",
                hint=f"port.method/target#k, shell style; known: {', '.join(sorted(MUTATIONS))}",
            )
        if fault in (Fault.DIE_BEFORE, Fault.DIE_DURING, Fault.DIE_AFTER) and "pid" in message:
            self._set_victim(message)
        self._house.world.faults.arm(str(message["at"]), fault)
        return {"armed": message["at"], "fault": fault.value}

    def _disarm(self, message: Message) -> Message:
        self._house.world.faults.disarm()
        return {}

    def _forget(self, message: Message) -> Message:
        """Count mutations from here on as if nothing had been reached, so that `#1` is the next one."""
        self._house.world.faults.forget()
        self.deaths.clear()
        return {}

    def _faults(self, message: Message) -> Message:
        faults = self._house.world.faults
        struck = [{"at": name, "fault": fault.value} for name, fault in faults.struck]
        return {"struck": struck, "reached": list(faults.reached), "deaths": list(self.deaths)}

    def _history(self, message: Message) -> Message:
        """Everything that happened in the World, with seconds since its first line (real ones: the World's, divided by speed)."""
        happened, speed = self._house.world.happenings, self._house.speed
        first = happened[0].at if happened else 0.0
        return {"history": [[round((h.at - first) / speed, 2), h.system, h.what] for h in list(happened)]}

    def _sent(self, _: Message) -> Message:
        """What the store's clients have taken so far: `bytes` in all, and of each object that was read."""
        return {"bytes": self._house.s3.sent, "objects": dict(self._house.s3.read)}

    def _set_victim(self, message: Message) -> Message:
        """The process that deaths end: `pid`, and with `group` its whole process group (which it must lead)."""
        found = ProcessId.of(int(message["pid"]))
        if found is None:
            raise ValueError(f"there is no process {message['pid']}")
        self._victim = (found, bool(message.get("group")))
        return {"pid": found.pid, "started": found.started}

    def _die(self, name: str) -> None:
        self.deaths.append(name)
        if self._victim is None:
            return
        victim, group = self._victim
        if victim.alive():
            with suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(victim.pid, signal.SIGKILL)

    def _lose_everything(self, message: Message) -> Message:
        self._house.lose_everything()
        return {}

    def _digest(self, message: Message) -> Message:
        """Digest of what is on a claim's volume, taken by the lab itself (see digest_of)."""
        return digest_of(self._volume(message))

    def _write(self, message: Message) -> Message:
        """The application of a claim writes `text` at `path`."""
        return written.write(self._volume(message), str(message["path"]), str(message["text"]))

    def _spoil(self, message: Message) -> Message:
        """All that a claim's volume holds is nonsense."""
        return written.spoil(self._volume(message))

    def _rot(self, message: Message) -> Message:
        """One byte on a volume is another, which nobody wrote."""
        return written.rot(self._volume(message))

    def _keep_versions(self, message: Message) -> Message:
        """The bucket of the backups keeps versions from here on."""
        self._house.store.former.of(BUCKET).state = "Enabled"
        return {"bucket": BUCKET}

    def _volume(self, message: Message) -> Path:
        """The folder of the `volume` of this name, which is there without a cluster too; or of that which a claim has."""
        cluster = self._house.cluster
        if name := str(message.get("volume", "")):
            if name not in {path.name for path in cluster.disks.volumes.iterdir()}:
                raise ValueError(f"there is no volume {name}")
            return cluster.disks.volumes / name
        claim = cluster.kube.get(CLAIMS, str(message["claim"]), str(message["namespace"]))
        volume = ((claim or {}).get("spec") or {}).get("volumeName", "")
        if not volume:
            raise ValueError(f"{message['namespace']}/{message['claim']} is not bound")
        return cluster.disks.volumes / str(volume)

    def _trouble(self, message: Message) -> Message:
        """`{"name": "git-down", "target": "", "end": false}`: let a trouble of lab/troubles/named.py begin or end."""
        name, target = str(message["name"]), str(message.get("target", ""))
        (troubles.end if message.get("end") else troubles.begin)(self._house, name, target)
        return {"name": name, "target": target, "ended": bool(message.get("end"))}


def digest_of(folder: Path) -> Message:
    """SHA-256 over names, kinds and contents of everything in a folder but `lost+found`, and what it counted.

    Modes and groups are left out: a kubelet changes them at each mount for the sake of fsGroup.
    """
    whole, files, size = hashlib.sha256(), 0, 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if relative.parts[0] == "lost+found":
            continue
        seen = path.lstat()
        regular = stat.S_ISREG(seen.st_mode)
        length = seen.st_size if regular else 0
        whole.update(f"{stat.S_IFMT(seen.st_mode):o} {len(str(relative))} {relative} {length}\0".encode())
        if regular:
            whole.update(hashlib.sha256(path.read_bytes()).digest())
            files, size = files + 1, size + seen.st_size
        elif path.is_symlink():
            whole.update(str(path.readlink()).encode())
    return {"sha256": whole.hexdigest(), "files": files, "bytes": size}


def ask(path: Path, message: Message) -> Message:
    """Send one command to a running house. PartFailed when none answers, PermanentError with its words when it refuses."""
    try:
        with socket.socket(socket.AF_UNIX) as connection, _short(path) as short:
            connection.settimeout(TIMEOUT_S)
            connection.connect(str(short))
            connection.sendall(json.dumps(message).encode() + b"\n")
            with connection.makefile("rb") as answer:
                reply: Message = read(answer.readline() or b"{}", an_object)
    except (OSError, Malformed) as error:
        raise PartFailed("the house does not answer", evidence=(str(error),), next_command="invoke lab.up") from error
    if "error" in reply:
        raise PermanentError(str(reply["error"]), hint=str(reply.get("hint", "")))
    return reply


@contextmanager
def _short(path: Path) -> Iterator[Path]:
    """The same file by a short name: a unix socket's path may have 107 characters, and a checkout's folder may have more."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, answer: Callable[[Message], Message]) -> None:
        self.answer = answer
        super().__init__(path, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            message = read(self.rfile.readline(), an_object)
        except Malformed as error:
            reply: Message = {"error": f"this is not JSON: {error}"}
        else:
            reply = self.server.answer(message)
        self.wfile.write(json.dumps(reply).encode() + b"\n")
