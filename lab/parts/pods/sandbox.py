"""Runs one container's program in a mount namespace of its own, so that it sees /data, /cache, … and the host is not touched; where
its pod is fenced in, in a network of its own as well, with nothing in it but what is open to the pod (podnet.py).

A script of the standard library alone: `sandbox.py SPEC`, where SPEC is a JSON file that is read and removed. Works as root (the
container's own uid and capabilities) and, in a user namespace, as anybody (everything belongs to the caller then). The code the
program ended with goes into the file `exit`; ERROR_CODE there means that the sandbox failed, not the program. Into `inside` goes
the number of a process in these namespaces. A SIGTERM to its group is the program's to obey: the sandbox ends with it.
What runs `beside` it (sidecars) is a specification each: begun before it in the same network, again whenever
it ends, and ended with it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lab.parts.pods import podnet

ERROR_CODE = 125
_FIRST_BACK_OFF_S, _MOST_BACK_OFF_S = 0.25, 10.0
_TOLD = 128  # bytes that gate.py reads beside each socket
# Of the host's tree a program sees these, read-only.
_HOST = ("usr", "lib", "lib64", "lib32", "bin", "sbin", "etc")


def main(path: str) -> int:
    """Read the specification, make the root, run the program, write down its end."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # not ignored: that the program would inherit
    spec = json.loads(Path(path).read_text())
    Path(path).unlink()
    try:
        code = _run(spec)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lab error: the sandbox cannot be made: {error}", file=sys.stderr, flush=True)  # noqa: T201 - this is the pod's log
        code = ERROR_CODE
    _note(Path(spec["exit"]), str(code))
    return code


def _note(file: Path, words: str) -> None:
    """Whoever reads it meanwhile finds the old or the new ones."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_text(words)
    unfinished.rename(file)


def _fence_in(addresses: list[list[Any]]) -> None:
    """From here on this process is in the pod's own network, in which each of these addresses leads to gate.py and so outside."""
    ways: list[podnet.Way] = [(str(host), int(port)) for host, port in addresses]
    listening = podnet.street(ways)
    with socket.socket(fileno=int(os.environ.pop("LAB_GATE"))) as gate:
        for way, inside in zip(ways, listening, strict=True):
            socket.send_fds(gate, [json.dumps(way).encode().ljust(_TOLD)], [inside.fileno()])
            inside.close()
    podnet.move_in(ways)


class _Beside:
    """One sidecar: it runs again whenever it ends, a little later each time, and how it last ended is written down."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec, self._stopping, self._starting = spec, threading.Event(), threading.Lock()
        self._began = 0.0
        self._process = self._started()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, with all that it has started."""
        with self._starting:
            self._stopping.set()
            self._process.kill()
        self._thread.join()

    def _started(self) -> subprocess.Popen[bytes]:
        Path(self._spec["exit"]).unlink(missing_ok=True)
        self._began = time.time()
        _note(Path(self._spec["began"]), str(self._began))
        told = Path(self._spec["told"])
        told.touch(0o600)
        told.write_text(json.dumps(self._spec))
        # In a namespace of processes: what it has started ends with its first.
        apart = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        with Path(self._spec["log"]).open("ab") as log:
            return subprocess.Popen([*apart, "--", *itself(str(told))], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _keep(self) -> None:
        times = 0
        while True:
            self._process.wait()
            if self._stopping.is_set():
                return
            times, code = times + 1, Path(self._spec["exit"])
            ended = f"{times} {code.read_text() if code.exists() else ERROR_CODE} {self._began} {time.time()}"
            _note(Path(self._spec["ended"]), ended)
            self._stopping.wait(min(_FIRST_BACK_OFF_S * 2**times, _MOST_BACK_OFF_S))
            with self._starting:
                if self._stopping.is_set():
                    return
                self._process = self._started()


def itself(told: str) -> list[str]:
    """The command that runs this module on a specification, with nothing but the standard library and this checkout in reach."""
    run = "import sys; sys.path.insert(0, sys.argv.pop(1)); from lab.parts.pods import sandbox; sys.exit(sandbox.main(sys.argv[1]))"
    return [sys.executable, "-I", "-c", run, str(Path(__file__).resolve().parents[3]), told]


def _run(spec: dict[str, Any]) -> int:
    root, as_root = Path(spec["root"]), bool(spec["as_root"])
    if spec["openings"] is not None:
        _fence_in(spec["openings"])
    root.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "lab", str(root))
    mounted = {str(target).strip("/").partition("/")[0] for _, target, _ in spec["mounts"]}
    for name in _HOST:
        if name in mounted:
            _show_parts(Path("/") / name, root, root / name, read_only=as_root)
        else:
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
    _note(Path(spec["inside"]), str(os.getpid()))
    command = ["chroot", str(root), *as_whom(spec), *spec["argv"]]
    with ExitStack() as beside:
        for one in spec["beside"]:
            beside.callback(_Beside(one).stop)
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


def as_whom(spec: dict[str, Any]) -> list[str]:
    """The words before a command that make it the container's user, with its rights."""
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


def _show_parts(host: Path, root: Path, target: Path, *, read_only: bool) -> None:
    """A folder of the host in which the pod mounts something: the container's own, with links to all that the host has in its."""
    behind = Path("/.host") / host.name
    _bind(host, root / str(behind).lstrip("/"), read_only=read_only, recursive=True)
    target.mkdir(mode=0o755)
    for entry in host.iterdir():
        (target / entry.name).symlink_to(behind / entry.name)


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
