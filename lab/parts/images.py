"""The table of known images: which image becomes which local process. An image that is not in it only turns Ready.

Two kinds: a controller runs as it is, with the rights of its pod's own service account; a container runs in a sandbox, with its
pod's mounts, as its pod's user.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from lab.parts import app as app_script
from lab.parts import mover as mover_script
from lab.parts import sandbox as sandbox_script
from lab.parts.knobs import Knobs
from lab.parts.kube import Object
from lab.parts.pki import write_private
from lab.parts.podspec import Mount, PodSpec
from lab.parts.programs import find
from lab.parts.supervisor import Program, Rank

MOVER_IMAGE = "lab/mover:1"
APPLICATION_IMAGE = "lab/sample-app:1"
_UNSHARE = Path("/usr/bin/unshare")


@dataclass(frozen=True)
class Place:
    """Where one pod of a known image runs. `address` is a loopback address of the pod's own: its ports collide with nobody's."""

    pod: Object
    container: Object
    folder: Path
    address: str
    spec: PodSpec
    knobs: Knobs
    kubeconfig: Callable[[], Path]

    @property
    def name(self) -> str:
        """The name of the pod's process, unique in the lab."""
        return program_name(self.pod)

    @property
    def exit_file(self) -> Path:
        """Where a sandbox leaves the code that its program ended with."""
        return self.folder / "exit"


def program_name(pod: Object) -> str:
    """The name that a pod's process (and its log) goes by in the supervisor."""
    meta = pod["metadata"]
    return f"pod-{meta['namespace']}-{meta['name']}-{meta['uid'][:8]}"


class Image(Protocol):
    """How a known image is started."""

    def program(self, place: Place) -> Program:
        """The program that stands for this container. May raise NotYet."""

    def probe(self, place: Place) -> bool:
        """Whether the running program says that it is ready."""


@dataclass(frozen=True)
class Controller:
    """A real program that is a client of the API server. `arguments` may name `{address}`, `{namespace}` and `{data}`, a folder.

    Ready when `ready` (a URL, may name `{address}`) answers 200; "" for as soon as it runs.
    """

    binary: str
    arguments: tuple[str, ...]
    ready: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    kubeconfig_flag: bool = False

    def program(self, place: Place) -> Program:
        """The controller, with a kubeconfig that holds a token of its pod's service account."""
        kubeconfig = str(place.kubeconfig())
        values = {
            "address": place.address,
            "data": str(place.folder / "data"),
            "namespace": place.pod["metadata"]["namespace"],
        }
        (place.folder / "data").mkdir(parents=True, exist_ok=True)
        arguments = tuple(a.format(**values) for a in self.arguments)
        if self.kubeconfig_flag:
            arguments = (f"--kubeconfig={kubeconfig}", *arguments)
        own = {k: v.format(**values) for k, v in self.environment}
        environment = client_environment(place, kubeconfig) | own
        return Program(place.name, (str(find(self.binary)), *arguments), Rank.CLIENT, environment)

    def probe(self, place: Place) -> bool:
        """Ask the controller's own readiness page."""
        return not self.ready or _says_200(self.ready.format(address=place.address))


@dataclass(frozen=True)
class Sandboxed:
    """A script of the lab that runs as the pod's container; `tools` are files that it finds below /.lab.

    Without a script the container's own command runs, on the programs of this machine: an image that is only a shell.
    """

    script: Path | None
    tools: Callable[[], Mapping[str, Path]] = dict
    fails_by_knob: bool = False

    def program(self, place: Place) -> Program:
        """The script in its sandbox. NotYet when a Secret, a volume or an export is missing."""
        container, spec = place.container, place.spec
        environment = spec.environment(container)
        mounts = spec.mounts(container)
        who = spec.identity(container)
        inside, files = [*container.get("command", ["/bin/sh"]), *container.get("args", [])], dict(self.tools())
        if self.script is not None:
            inside = [_python(), "-I", f"/.lab/{self.script.name}", *container.get("args", [])]
            files[self.script.name] = self.script
        if self.fails_by_knob and place.knobs.mover_exit is not None:
            inside = ["/bin/sh", "-c", f"echo 'ERROR: this mover was told to fail'; exit {place.knobs.mover_exit}"]
        mounts += [Mount(path, f"/.lab/{name}", read_only=True) for name, path in files.items()]
        as_root = os.geteuid() == 0
        specification = {
            "root": str(place.folder / "root"),
            "exit": str(place.exit_file),
            "mounts": [[str(m.source), m.target, m.read_only] for m in mounts],
            "argv": inside,
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": "/tmp",  # noqa: S108 - the container's own
                "LAB_REPOSITORY_CHECK_S": str(place.knobs.repository_check_s),
                # In a user namespace every owner looks like root: what reads owners must say that it cannot.
                **({} if as_root else {"OWNERSHIP": "unknown"}),
                **environment,
            },
            "uid": who.uid,
            "gid": who.gid,
            "groups": list(who.groups),
            "capabilities": sorted(who.capabilities),
            "as_root": as_root,
        }
        place.exit_file.unlink(missing_ok=True)
        path = place.folder / "sandbox.json"
        write_private(path, json.dumps(specification).encode())
        rights = ("--propagation", "private") if as_root else ("--user", "--map-root-user")
        script = str(Path(sandbox_script.__file__).resolve())
        argv = (str(_UNSHARE), "--mount", *rights, "--", sys.executable, "-I", script, str(path))
        return Program(place.name, argv, Rank.CLIENT)

    def probe(self, place: Place) -> bool:
        """A container without a probe is ready while it runs."""
        return True


def client_environment(place: Place, kubeconfig: str) -> dict[str, str]:
    """What a client of the API server finds in its environment."""
    home = place.folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "KUBECONFIG": kubeconfig,
        "RUNTIME_NAMESPACE": place.pod["metadata"]["namespace"],
        # Its own home: a controller outside a pod finds the developer's age and ssh keys otherwise.
        "HOME": str(home),
        "TMPDIR": str(home),
    }


class Images:
    """Finds what stands for a pod. Names are compared without registry, tag and digest: `ghcr.io/x/volsync:1` is `volsync`."""

    def __init__(self, known: Mapping[str, Image]) -> None:
        self._known = dict(known)

    def match(self, pod: Object) -> tuple[Object, Image] | None:
        """The container of this pod that becomes a process and how; None when the pod only turns Ready."""
        for container in pod["spec"]["containers"]:
            image = self._known.get(short_name(container["image"]))
            if image is not None:
                return container, image
        return None


def short_name(image: str) -> str:
    """The last part of an image's name, without tag and digest."""
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]


def mover() -> Sandboxed:
    """The restic mover."""
    return Sandboxed(Path(mover_script.__file__).resolve(), lambda: {"restic": find("restic")}, fails_by_knob=True)


def application() -> Sandboxed:
    """The lab's application."""
    return Sandboxed(Path(app_script.__file__).resolve())


def shell() -> Sandboxed:
    """An image that brings a shell and nothing else."""
    return Sandboxed(None)


def _python() -> str:
    # The interpreter behind the virtual environment: it is the one that the sandbox can see, and scripts need nothing more.
    return str(Path(sys.executable).resolve())


def _says_200(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
