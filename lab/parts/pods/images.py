"""The table of known images: which image becomes which local process. An image that is not in it only turns Ready.

Two kinds: a controller runs as it is, with the rights of its pod's own service account; a container runs in a sandbox, with its
pod's mounts, as its pod's user.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lab.parts.knobs import Knobs, PodsOf
from lab.parts.kube import Object
from lab.parts.pages import PageGone, page
from lab.parts.pods import app as app_script
from lab.parts.pods.contained import Contained
from lab.parts.pods.execdoor import Command
from lab.parts.pods.netpolicy import Openings
from lab.parts.pods.podspec import NotYet, PodSpec, expanded
from lab.parts.pods.registry import is_reference
from lab.parts.programs import CHECKOUT, find
from lab.parts.supervisor import ProcessId, Program, Rank

MOVER_IMAGE = "lab/mover:1"
# What VolSync names as the command of its restic pods.
MOVER_ENTRY = "/mover-restic/entry.sh"
APPLICATION_IMAGE = "lab/sample-app:1"


@dataclass(frozen=True)
class Place:
    """Where one pod of a known image runs. `address` is a loopback address of the pod's own: its ports collide with nobody's.

    `openings`: what NetworkPolicies leave open to it, None where none fences it in. A sandbox obeys; a controller does not.
    `sidecars` are those of its pod whose images are known, with these. A controller has none.
    """

    pod: Object
    container: Object
    folder: Path
    address: str
    spec: PodSpec
    knobs: Knobs
    kubeconfig: Callable[[], Path]
    openings: Openings | None = None
    sidecars: tuple[tuple[Object, Sandboxed], ...] = ()

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
    """An image whose containers run in a sandbox, on the programs of this machine.

    `entry` is what runs where the container names no command of its own; `files` are what the image brings, each by its place
    in the container. None of them: an image that is only a shell.
    """

    entry: tuple[str, ...] = ("/bin/sh",)
    files: Callable[[], Mapping[str, Path]] = dict
    fails_by_knob: bool = False

    def program(self, place: Place) -> Program:
        """The container in its sandbox. NotYet when a Secret, a volume or an export is missing."""
        beside = {
            container["name"]: image.contained(replace(place, container=container, openings=None))
            for container, image in place.sidecars
        }
        contained = replace(self.contained(place), beside=beside)
        return Program(place.name, contained.argv_in(place.folder, place.exit_file), Rank.CLIENT)

    def contained(self, place: Place) -> Contained:
        """What its sandbox is told of the container. NotYet as `program`."""
        container, spec = place.container, place.spec
        environment = self.environment(place)
        told = [*(container.get("command") or self.entry), *(container.get("args") or [])]
        inside = [expanded(word, environment) for word in told]
        if self.fails_by_knob and place.knobs.mover_exit is not None:
            inside = ["/bin/sh", "-c", f"echo 'ERROR: this mover was told to fail'; exit {place.knobs.mover_exit}"]
        return Contained(
            argv=tuple(inside),
            environment=environment,
            mounts=tuple(spec.mounts(container)),
            files=self.files(),
            identity=spec.identity(container),
            read_only=bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem")),
            openings=place.openings,
        )

    def environment(self, place: Place) -> dict[str, str]:
        """What the container finds in its environment. NotYet where a Secret or ConfigMap is missing."""
        return {"HOSTNAME": place.pod["metadata"]["name"], **place.spec.environment(place.container)}

    def into(self, place: Place, first: ProcessId, words: Sequence[str]) -> Command:
        """How these words are run inside of the container, while `first` does, which is a process in it."""
        own = Contained((), self.environment(place), (), {}, place.spec.identity(place.container))
        argv, environment = own.argv_into(place.folder, first.pid, words)
        return Command(argv, environment, given=False, alive=first.alive)

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

    def __init__(self, known: Mapping[str, Image], exists: Callable[[str], bool] = lambda image: True) -> None:
        self._known = dict(known)
        self._exists = exists

    def refusal(self, pod: Object, unpulled: Collection[PodsOf] = ()) -> NotYet | None:
        """Why one of the pod's images can't be had, as a kubelet words it; None when all can.

        Those of `unpulled` pods cannot, whatever else is known of them. A static pod was pulled with its machine.
        """
        if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
            return None
        missing = any(of.has(pod) for of in unpulled)
        for container in (*sidecars(pod), *pod["spec"]["containers"]):
            image, name = container["image"], short_name(container["image"])
            if not is_reference(image):
                why = f'couldn\'t parse image name "{image}": invalid reference format'
                return NotYet("InvalidImageName", f'Failed to apply default image tag "{image}": {why}')
            if missing or (name not in self._known and not self._exists(image)):
                why = f"failed to resolve image: {image}: not found"
                return NotYet("ErrImagePull", f'failed to pull and unpack image "{image}": {why}')
        return None

    def match(self, pod: Object) -> tuple[Object, Image] | None:
        """The container of this pod that becomes a process and how; None when the pod only turns Ready."""
        for container in pod["spec"]["containers"]:
            image = self._known.get(short_name(container["image"]))
            if image is not None:
                return container, image
        return None

    def beside(self, pod: Object) -> tuple[tuple[Object, Sandboxed], ...]:
        """The pod's sidecars that are run, each with how: those of a known image of a sandbox, in a pod that has one."""
        matched = self.match(pod)
        if matched is None or not isinstance(matched[1], Sandboxed):
            return ()
        found = [(container, self._known.get(short_name(container["image"]))) for container in sidecars(pod)]
        return tuple((container, image) for container, image in found if isinstance(image, Sandboxed))


def sidecars(pod: Object) -> list[Object]:
    """Its containers that are started before the others and run as long as these do."""
    return [one for one in pod["spec"].get("initContainers") or [] if one.get("restartPolicy") == "Always"]


def short_name(image: str) -> str:
    """The last part of an image's name, without tag and digest."""
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]


def mover() -> Sandboxed:
    """The restic mover: VolSync's own script and restic, where its image has them."""
    return Sandboxed((MOVER_ENTRY,), mover_files, fails_by_knob=True)


def mover_files() -> Mapping[str, Path]:
    """What the mover's image brings. ProgramMissing where the programs are not built."""
    return {MOVER_ENTRY: find("volsync-mover"), "/usr/local/bin/restic": find("restic")}


def application() -> Sandboxed:
    """The lab's application."""
    script = Path(app_script.__file__).resolve()
    return Sandboxed((interpreter(), "-I", f"/.lab/{script.name}"), lambda: {f"/.lab/{script.name}": script})


def ourselves() -> Sandboxed:
    """What the Containerfile makes, as this checkout has it: this very tool with its programs, in the same place."""
    return Sandboxed((".venv/bin/python", "-m", "invoke"), _checkout)


def _checkout() -> Mapping[str, Path]:
    # Both folders may be links to elsewhere. Scripts of a virtual environment name its interpreter by the whole path, which a pod's
    # own volumes may hide: so none of them is run.
    own = [path.resolve() for name in (".venv", ".tools") if (path := CHECKOUT / name).exists()]
    return {"/blackstart": CHECKOUT} | {str(path): path for path in own}


def shell() -> Sandboxed:
    """An image that brings a shell and nothing else."""
    return Sandboxed()


def interpreter() -> str:
    """The Python behind the virtual environment: the one that a sandbox can see, and scripts need nothing more."""
    return str(Path(sys.executable).resolve())


def _says_200(url: str) -> bool:
    try:
        return page(url).status == 200
    except PageGone:
        return False
