"""One container as its sandbox is told of it: what it runs, sees and may. Knows no pod and no image; starts nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.parts.plane.pki import write_private
from lab.parts.pods import gate, sandbox
from lab.parts.pods.netpolicy import Openings
from lab.parts.pods.podspec import Identity, Mount
from lab.parts.pods.podstatus import SidecarEnd

_UNSHARE, _NSENTER = Path("/usr/bin/unshare"), Path("/usr/bin/nsenter")


@dataclass(frozen=True)
class SidecarFiles:
    """What is written of a sidecar: its log; in `began` when its newest life began; and in `ended`, once it has ended, how often,
    the last code, and when that life began and ended (epoch seconds)."""

    log: Path
    began: Path
    ended: Path

    def since(self) -> float | None:
        """When its newest life began, None for one that has not."""
        try:
            return float(self.began.read_text())
        except FileNotFoundError:
            return None

    def last(self) -> SidecarEnd | None:
        """How it has ended, None for one that has not."""
        try:
            times, code, began, ended = self.ended.read_text().split()
        except FileNotFoundError:
            return None
        return SidecarEnd(int(times), int(code), float(began), float(ended))


def sidecar_files(folder: Path, name: str) -> SidecarFiles:
    """Those of this container, in its pod's folder."""
    return SidecarFiles(folder / f"log-{name}", folder / f"began-{name}", folder / f"ended-{name}")


def inside_file(folder: Path) -> Path:
    """Where a sandbox leaves the number of a process that is in it, in its pod's folder."""
    return folder / "inside"


@dataclass(frozen=True)
class Contained:
    """`files` are what the image brings, by their place in the container; `mounts` what its pod gives it.

    `read_only`: the container may write to its mounts only. `openings` are the addresses and ports that are open to it in a network
    of its own; None for this machine's network. `beside` are its pod's sidecars by their names, in the same network.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    files: Mapping[str, Path]
    identity: Identity
    read_only: bool = False
    openings: Openings | None = None
    beside: Mapping[str, Contained] = field(default_factory=dict)

    def argv_in(self, folder: Path, exit_file: Path) -> tuple[str, ...]:
        """The command that runs it, its root below `folder`; the code that it ends with goes into `exit_file`."""
        for left in (exit_file, inside_file(folder)):
            left.unlink(missing_ok=True)
        as_root = os.geteuid() == 0
        told = folder / "sandbox.json"
        specification = self._specification(folder / "root", exit_file, as_root=as_root)
        specification["beside"] = [one._as_sidecar(folder, name, as_root=as_root) for name, one in self.beside.items()]
        write_private(told, json.dumps(specification).encode())
        rights = ("--propagation", "private") if as_root else ("--user", "--map-root-user")
        inside = ("--", *sandbox.itself(str(told)))
        if self.openings is None:
            return (str(_UNSHARE), "--mount", *rights, *inside)
        through = (sys.executable, "-I", str(Path(gate.__file__).resolve()))
        return (*through, str(_UNSHARE), "--net", "--mount", *rights, *inside)

    def argv_into(self, folder: Path, first: int, words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """The command that runs these words beside it, as the same user in the same place, and its whole environment; `first` is a
        process inside."""
        spec = self._specification(folder / "root", folder / "none", as_root=os.geteuid() == 0)
        rights = () if spec["as_root"] else ("--user", "--preserve-credentials")
        entered = (str(_NSENTER), "--target", str(first), *rights, "--mount", "--net", "--", "chroot", str(spec["root"]))
        return (*entered, *sandbox.as_whom(spec), *words), dict(spec["environment"])

    def _as_sidecar(self, folder: Path, name: str, *, as_root: bool) -> dict[str, object]:
        """As its pod's sandbox is told of it: with where its log goes, when it began, and how often and how it has ended."""
        beside = sidecar_files(folder, name)
        for left in (beside.began, beside.ended):
            left.unlink(missing_ok=True)
        own = self._specification(folder / f"root-{name}", folder / f"exit-{name}", as_root=as_root)
        places = {"log": str(beside.log), "began": str(beside.began), "ended": str(beside.ended)}
        places["told"] = str(folder / f"sandbox-{name}.json")
        return own | {"openings": None, "beside": []} | places

    def _specification(self, root: Path, exit_file: Path, *, as_root: bool) -> dict[str, Any]:
        who = self.identity
        return {
            "root": str(root),
            "exit": str(exit_file),
            "inside": str(root.with_name(root.name.replace("root", inside_file(root.parent).name, 1))),
            "files": [[str(source), target] for target, source in self.files.items()],
            "mounts": [[str(m.source), m.target, m.read_only] for m in self.mounts],
            "argv": list(self.argv),
            "environment": {
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root" if who.uid == 0 else "/",
                "TZ": "UTC",  # a container knows no other; this machine's /etc does
                # In a user namespace every owner looks like root: what reads owners must say that it cannot.
                **({} if as_root else {"OWNERSHIP": "unknown"}),
                **self.environment,
            },
            "uid": who.uid,
            "gid": who.gid,
            "groups": list(who.groups),
            "capabilities": sorted(who.capabilities),
            "read_only": self.read_only,
            "openings": self.openings,
            "as_root": as_root,
        }
