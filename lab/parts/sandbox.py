"""Runs one container's program in a mount namespace of its own, so that it sees /data, /cache, … and the host is not touched; where
its pod is fenced in, in a network of its own as well, with nothing in it but what is open to the pod.

A script of the standard library alone: `sandbox.py SPEC`, where SPEC is a JSON file that is read and removed. Works as root (the
container's own uid and capabilities) and, in a user namespace, as anybody (everything belongs to the caller then). The code the
program ended with goes into the file `exit`; ERROR_CODE there means that the sandbox failed, not the program.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

ERROR_CODE = 125
_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C  # ioctls of netdevice(7)
_UP = 1
_WAITING = 16
_TOLD = 128  # bytes that gate.py reads beside each socket
# Of the host's tree a program sees these, read-only.
_HOST = ("usr", "lib", "lib64", "lib32", "bin", "sbin", "etc")


def main(path: str) -> int:
    """Read the specification, make the root, run the program, write down its end."""
    spec = json.loads(Path(path).read_text())
    Path(path).unlink()
    try:
        code = _run(spec)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lab error: the sandbox cannot be made: {error}", file=sys.stderr, flush=True)  # noqa: T201 - this is the pod's log
        code = ERROR_CODE
    unfinished = Path(spec["exit"] + ".new")
    unfinished.write_text(str(code))
    unfinished.rename(spec["exit"])
    return code


def _open_ways(addresses: list[list[Any]]) -> None:
    """Make these addresses this network's own, listen on them, and send what listens to gate.py. None of them: no device is up.

    An address of one alone: to any other the network is unreachable, as it is where a packet is dropped, only sooner.
    """
    number = os.environ.pop("LAB_GATE", "")
    if not addresses or not number:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        # The device gets 127.0.0.1/8 as it comes up, and gives that up for the first address.
        fcntl.ioctl(device, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
        for at, (host, _) in enumerate(addresses):
            name = f"lo:{at}" if at else "lo"
            for request, value in ((_SET_ADDRESS, host), (_SET_MASK, "255.255.255.255")):
                fcntl.ioctl(device, request, struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(value)))
    with socket.socket(fileno=int(number)) as gate:
        for host, port in addresses:
            with socket.create_server((host, port), backlog=_WAITING) as inside:
                socket.send_fds(gate, [json.dumps([host, port]).encode().ljust(_TOLD)], [inside.fileno()])


def _run(spec: dict[str, Any]) -> int:
    root, as_root = Path(spec["root"]), bool(spec["as_root"])
    _open_ways(spec["openings"] or [])
    root.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "lab", str(root))
    for name in _HOST:
        _show(Path("/") / name, root / name, read_only=as_root)
    prefix = Path(sys.base_prefix).resolve()
    if prefix.parts[1] not in _HOST:
        _bind(prefix, root / prefix.relative_to("/"), read_only=as_root)
    for name in ("proc", "dev"):
        _bind(Path("/") / name, root / name, recursive=True)
    (root / "root").mkdir(mode=0o700, exist_ok=True)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)
    own = [root, *_bring(root, spec["files"], as_root=as_root)]
    for source, target, read_only in sorted(spec["mounts"], key=lambda m: str(m[1])):
        _bind(Path(source), root / str(target).lstrip("/"), read_only=read_only and as_root)
    for folder in own if spec["read_only"] and as_root else ():
        _mount("-o", "remount,bind,ro", str(folder))
    command = ["chroot", str(root), *_as_whom(spec), *spec["argv"]]
    ended = subprocess.run(command, env=spec["environment"], stdin=subprocess.DEVNULL, check=False)
    # Negative: ended by a signal, which a container engine tells as 128 + signal.
    return 128 - ended.returncode if ended.returncode < 0 else ended.returncode


def _bring(root: Path, files: list[list[str]], *, as_root: bool) -> list[Path]:
    """Put the image's files in their places; the folders of the host that give way to the image's own come back."""
    covered: list[Path] = []
    for source, target in files:
        place = root / target.lstrip("/")
        if place.relative_to(root).parts[0] in _HOST and place.parent not in covered:
            # The container sees its image's files there, and none of the host's.
            _mount("-t", "tmpfs", "-o", "mode=755", "lab", str(place.parent))
            covered.append(place.parent)
        _bind(Path(source), place, read_only=as_root)
    return covered


def _as_whom(spec: dict[str, Any]) -> list[str]:
    if not spec["as_root"]:
        return []
    groups = ["--groups", ",".join(str(g) for g in spec["groups"])] if spec["groups"] else ["--clear-groups"]
    kept = ",".join(["-all", *(f"+{c}" for c in spec["capabilities"])])
    return [
        "setpriv",
        f"--reuid={spec['uid']}",
        f"--regid={spec['gid']}",
        *groups,
        f"--bounding-set={kept}",
        "--inh-caps=-all",
        "--no-new-privs",
    ]


def _show(host: Path, target: Path, *, read_only: bool) -> None:
    if host.is_symlink():
        target.symlink_to(host.readlink())
    elif host.is_dir():
        _bind(host, target, read_only=read_only, recursive=True)


def _bind(source: Path, target: Path, *, read_only: bool = False, recursive: bool = False) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount("--rbind" if recursive else "--bind", str(source), str(target))
    if read_only:  # an ordinary user may not change flags that the host's mounts came with
        _mount("-o", "remount,bind,ro", str(target))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, timeout=20)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
