"""One pod's life on its node: what runs for it, and what its kubelet says of it. Knows no other pod."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lab.parts.errors import PartFailed
from lab.parts.events import warn
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import Kube, Object
from lab.parts.plane.pki import write_private
from lab.parts.pods import podstatus
from lab.parts.pods.accounts import kubeconfig, token
from lab.parts.pods.attached import Attached
from lab.parts.pods.contained import inside_file, sidecar_files
from lab.parts.pods.execdoor import Command
from lab.parts.pods.images import Image, Images, Place, Sandboxed, program_name
from lab.parts.pods.netpolicy import POLICIES, openings
from lab.parts.pods.podspec import NotYet, PodSpec
from lab.parts.pods.sandbox import ERROR_CODE
from lab.parts.supervisor import ProcessId, Program, Rank, Supervisor

# Annotations with which a pod of an unknown image says how it behaves.
START_SECONDS = "lab.blackstart/start-seconds"  # a number, or "never"
EXIT_CODE = "lab.blackstart/exit-code"
_TOKEN_S = 7 * 24 * 3600
_GRACE_S = 6.0
_BACK_OFF_S = 1.0


@dataclass
class Host:
    """What all kubelets of one lab share. `prefix` is the block's first three numbers; pods get addresses .100 to .250 of it."""

    supervisor: Supervisor
    images: Images
    knobs: Knobs
    journal: WriteJournal
    pods: Path
    volumes: Path
    server: str
    authority: Path
    prefix: str
    exports: Mapping[str, Path] = field(default_factory=dict)
    # Images whose pod makes a node's network; none: nodes are Ready at once.
    network_images: frozenset[str] = frozenset()
    errors: list[str] = field(default_factory=list)
    # Pods whose success was only assumed, with their images.
    assumed: list[str] = field(default_factory=list)
    _addresses: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_address(self, folder: Path) -> str:
        """A loopback address for one pod; the same again for a pod that had one."""
        kept = folder / "address"
        with self._lock:
            if kept.exists():
                address = kept.read_text()
            else:
                address = next(a for n in range(100, 251) if (a := f"{self.prefix}.{n}") not in self._addresses)
                kept.write_text(address)
            self._addresses.add(address)
            return address

    def give_address_back(self, address: str) -> None:
        """The pod that had it is gone."""
        with self._lock:
            self._addresses.discard(address)


class PodWork:
    """What runs for one pod. `advance` is called again and again; it answers what to write and when to come back."""

    def __init__(self, kube: Kube, host: Host, attached: Attached, pod: Object, node_address: str) -> None:
        self._kube = kube
        self._host = host
        self._attached = attached
        self._node_address = node_address
        self.uid: str = pod["metadata"]["uid"]
        self.folder: Path = host.pods / self.uid
        self.name = program_name(pod)
        self._matched = host.images.match(pod)
        self._since = time.monotonic()
        self._not_before = 0.0
        self._started_at = podstatus.stamp()
        self._launched = False
        self._restarts = 0
        self._asked = 0.0
        self._ready = False
        self._ending: float | None = None
        self._refused_at: float | None = None
        self.address = ""
        self.again_s = 2.0
        self.runs = False
        """Whether it was seen to run: what becomes of it then is its own, and tells itself by its process or its object."""

    def advance(self, pod: Object) -> Object | None:
        """Start, watch or end what stands for the pod. The status to write comes back, or None; `again_s`: when to look again."""
        self.again_s, self.runs = 2.0, False
        if not self._launched and (pod.get("status") or {}).get("phase") != "Running":
            if self._attached.lacks(pod):
                return podstatus.waiting(pod, self._node_address, "ContainerCreating")
            refused = self._host.images.refusal(pod, self._host.knobs.unpulled)
            if refused is not None:
                return self._not_pulled(pod, refused)
        if self._matched is None:
            return self._advance_idle(pod)
        return self._advance_process(pod, *self._matched)

    def _not_pulled(self, pod: Object, refused: NotYet) -> Object:
        """An image that can't be had: told as an event once, then tried again for ever."""
        self.again_s = 0.5
        again = self._refused_at is not None and time.monotonic() > self._refused_at + _BACK_OFF_S
        if self._refused_at is None:
            self._refused_at = time.monotonic()
            warn(self._kube, pod, "kubelet", "Failed", f"Error: {refused.reason}: {refused.message}")
        if again and refused.reason == "ErrImagePull":
            image = pod["spec"]["containers"][0]["image"]
            told = f'Back-off pulling image "{image}": {refused.reason}: {refused.message}'
            return podstatus.waiting(pod, self._node_address, "ImagePullBackOff", told)
        return podstatus.waiting(pod, self._node_address, refused.reason, refused.message)

    def end(self) -> bool:
        """Let the pod's process end: SIGTERM, after a grace SIGKILL. True when nothing runs any more; never waits."""
        supervisor = self._host.supervisor
        if supervisor.alive(self.name):
            if self._ending is None:
                self._ending = time.monotonic() + _GRACE_S
                supervisor.terminate(self.name)
            if time.monotonic() < self._ending:
                self.again_s = 0.05
                return False
        supervisor.stop(self.name, 0.0)
        return True

    def forget(self) -> None:
        """The pod object is gone: so is all that the pod had for itself."""
        self._host.supervisor.stop(self.name, 0.0)
        if self.address:
            self._host.give_address_back(self.address)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _advance_idle(self, pod: Object) -> Object | None:
        annotations = pod["metadata"].get("annotations") or {}
        delay = annotations.get(START_SECONDS, str(self._host.knobs.pod_start_s))
        left = float("inf") if delay == "never" else self._since + float(delay) - time.monotonic()
        if left > 0:
            self.again_s = min(left, 2.0)
            return None
        if pod["spec"].get("restartPolicy", "Always") == "Always":
            self.runs = True
            return podstatus.running(pod, self._node_address, self._pod_ip(), ready=True, started_at=self._started_at)
        if EXIT_CODE not in annotations:
            self._assume(pod)
        code = int(annotations.get(EXIT_CODE, "0"))
        return self._ended(pod, code)

    def _assume(self, pod: Object) -> None:
        """A pod that should do something and end, of an image that is not run here: that it did so is nowhere left unsaid."""
        images = ", ".join(container["image"] for container in pod["spec"]["containers"])
        told = f"the lab does not run {images}: this pod did nothing, and its success is assumed"
        entry = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {images}"
        if entry not in self._host.assumed:
            self._host.assumed.append(entry)
            self._host.supervisor.log(self.name).write_text(f"{told}\n")
            warn(self._kube, pod, "lab", "SuccessAssumed", told)

    def _advance_process(self, pod: Object, container: Object, image: Image) -> Object | None:
        place = self._place(pod, container)
        if not self._launched:
            if time.monotonic() < self._not_before:
                self.again_s = self._not_before - time.monotonic()
                return None
            refused = self._launch(pod, place, image)
            if refused is not None:
                self.again_s = 0.5
                return podstatus.waiting(pod, self._node_address, refused.reason, refused.message)
        if self._host.supervisor.alive(self.name):
            now = time.monotonic()
            if not self._ready or now > self._asked + 1.0:
                self._asked = now
                self._ready = image.probe(place)
            job = pod["spec"].get("restartPolicy", "Always") != "Always"
            self.again_s, self.runs = 0.05 if job or not self._ready else 0.3, True
            return self._running(pod)
        return self._after_death(pod, place)

    def _launch(self, pod: Object, place: Place, image: Image) -> NotYet | None:
        supervisor = self._host.supervisor
        if (pod.get("status") or {}).get("phase") == "Running" and not self._restarts:
            # An earlier life of this simulator started it: take it over, or find below that it has ended meanwhile.
            supervisor.adopt(Program(self.name, (), Rank.CLIENT))
            self._started_at = pod["status"].get("startTime") or self._started_at
            self._launched = True
            return None
        try:
            program = image.program(place)
        except NotYet as refused:
            return refused
        try:
            supervisor.launch(program)
        except (OSError, PartFailed) as error:
            self._host.errors.append(f"{self.name}: {error}")
            return NotYet("LabError", str(error))
        self._started_at = podstatus.stamp()
        self._launched = True
        return None

    def _after_death(self, pod: Object, place: Place) -> Object:
        code = self._host.supervisor.exit_code(self.name)
        if place.exit_file.exists():
            code = int(place.exit_file.read_text())
        if code is None:
            code = 137
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Always" or (policy == "OnFailure" and code):
            self._launched = self._ready = False
            self._not_before = time.monotonic() + min(0.25 * 2**self._restarts, 10.0)
            self._restarts += 1
            self.again_s = 0.2
            return self._running(pod)
        if code == ERROR_CODE:
            self._host.errors.append(f"{self.name}: the sandbox failed, see {self._host.supervisor.log(self.name)}")
        return self._ended(pod, code)

    def _running(self, pod: Object) -> Object:
        status = podstatus.running(
            pod, self._node_address, self._pod_ip(), ready=self._ready, started_at=self._started_at, restarts=self._restarts
        )
        return self._with_sidecars(pod, status)

    def _with_sidecars(self, pod: Object, status: Object) -> Object:
        """The status with what is said of the sidecars that are run here; where there is none, as it is."""
        found = {}
        for container, _ in self._host.images.beside(pod):
            files = sidecar_files(self.folder, container["name"])
            found[container["name"]] = podstatus.Sidecar(container["image"], files.since(), files.last())
        return podstatus.with_sidecars(status, found) if found else status

    def log(self, container: str) -> Path:
        """Where the log of this container of the pod is."""
        of_sidecar = sidecar_files(self.folder, container).log
        return of_sidecar if of_sidecar.exists() else self._host.supervisor.log(self.name)

    def into(self, pod: Object, container: str, words: Sequence[str]) -> Command | str:
        """How these words are run inside of this container, or why they cannot be."""
        own, image = self._matched or ({}, None)
        if not isinstance(image, Sandboxed):
            return f"nothing runs in pod {pod['metadata']['name']} that could be entered"
        if own["name"] != container:
            return f"container {container} is not simulated"
        noted = inside_file(self.folder)
        runs = self._launched and self._host.supervisor.alive(self.name) and noted.exists()
        first = ProcessId.of(int(noted.read_text())) if runs else None
        if first is None:
            return f"container {container} does not run"
        command = image.into(self._place(pod, own), first, words)
        return replace(command, environment=self._host.supervisor.marked(command.environment))

    def _ended(self, pod: Object, code: int) -> Object:
        back = self._host.knobs.backdate_failures_s if code else 0.0
        started = podstatus.stamp(back) if back else self._started_at
        ended = podstatus.ended(pod, code, started_at=started, finished_at=podstatus.stamp(back))
        return self._with_sidecars(pod, ended)

    def _place(self, pod: Object, container: Object) -> Place:
        if not self.address:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711)
            self.address = self._host.take_address(self.folder)
        spec = PodSpec(self._kube.get, pod, self.folder, self._host.volumes, self._host.exports, partial(token, self._kube, pod))
        # Looked at once, before the start: policies that come later are for pods that come later.
        left_open = openings(self._kube.list(POLICIES, pod["metadata"]["namespace"]), pod) if not self._launched else None
        knobs = self._host.knobs
        beside = self._host.images.beside(pod)
        return Place(pod, container, self.folder, self.address, spec, knobs, lambda: self._kubeconfig(pod), left_open, beside)

    def _kubeconfig(self, pod: Object) -> Path:
        path = self.folder / "kubeconfig"
        write_private(path, kubeconfig(self._kube, pod, self._host.server, self._host.authority, _TOKEN_S))
        return path

    def _pod_ip(self) -> str:
        # Not the loopback address that the process has: endpoints refuse those.
        number = int(self.uid[:4], 16)
        return f"10.244.{number >> 8}.{number & 0xFF or 1}"
