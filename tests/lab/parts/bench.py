"""A cluster with VolSync for the tests, and the few looks that they share."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from lab.houses.blocks import claim
from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed
from lab.parts.kube import (
    CLAIMS,
    DEPLOYMENTS,
    DESTINATIONS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SOURCES,
    Kube,
    Object,
    Resource,
)
from lab.parts.plane.pki import ClusterKeys
from lab.parts.pods.nodes import NodeSpec
from lab.parts.pods.podstatus import is_ready
from lab.parts.settings import Settings
from lab.wire.pki import LabCA
from tests.lab.parts import objects
from tests.proof.sealing import cheapen

_names = count(1)


def need_programs() -> None:
    """Skip only where there is no Go: with Go the programs can be built, and a missing one is a failure."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build the programs with")


@contextmanager
def free_block() -> Iterator[str]:
    """The first three numbers of a block of loopback addresses that nobody else on this machine uses meanwhile."""
    for reserved in filter(None, map(claim, range(101, 250))):
        with reserved:
            yield reserved.block.prefix
        return
    raise AssertionError("no free block of loopback addresses")


def control_planes(prefix: str, number: int) -> list[NodeSpec]:
    return [NodeSpec(f"cp-{n}", f"{prefix}.{10 + n}", control_plane=True) for n in range(1, number + 1)]


# What `talosctl gen config` and talhelper write, shortened.
BASELINE: tuple[Object, ...] = ({
    "name": "PodSecurity",
    "configuration": {
        "apiVersion": "pod-security.admission.config.k8s.io/v1alpha1", "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "baseline", "enforce-version": "latest"}, "exemptions": {"namespaces": ["kube-system"]},
    },
},)  # fmt: skip


@contextmanager
def running_cluster(settings: Settings, nodes: list[NodeSpec], admission: tuple[Object, ...] = ()) -> Iterator[LabCluster]:
    """A cluster whose machines are on and bootstrapped; afterwards nothing may be left running."""
    keys = ClusterKeys.make()
    cluster = LabCluster(settings)
    try:
        cluster.start()
        for node in nodes:
            cluster.node_up(node, keys, admission)
        cluster.bootstrap(nodes[0].name)
        cluster.wait_ready()
        yield cluster
    finally:
        cluster.down()
    assert not cluster.errors
    assert cluster.supervisor.sweep() == ()


def cheaply_opened(repository: Path) -> None:
    """Let every restic from now on open it at once: a key of its own takes half a second of work each time."""
    cheapen(repository, objects.PASSWORD)


@dataclass(frozen=True)
class Bench:
    """The session's cluster, with what the tests ask of it.

    `nas` is the directory behind nas.lab:/backups; `authority` signs the servers that Flux's controllers trust.
    """

    cluster: LabCluster
    nas: Path
    authority: LabCA

    @property
    def kube(self) -> Kube:
        return self.cluster.kube

    def namespace(self, *, privileged: bool = False) -> str:
        """A namespace of the test's own, with its default account."""
        name = f"test-{next(_names)}"
        self.kube.apply(NAMESPACES, objects.namespace(name, privileged=privileged))
        self.until(lambda: self.kube.get(SERVICE_ACCOUNTS, "default", name) is not None, "the default account")
        return name

    def until(self, done: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        try:
            self.cluster.wait(done, seconds, what)
        except PartFailed as failed:
            logs = sorted(self.cluster.supervisor.logs.glob("pod-test-*"), key=lambda p: p.stat().st_mtime)
            for log in logs[-3:]:
                failed.add_note(f"{log.name}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-12:]))
            raise

    def phase(self, resource: Resource, space: str, name: str) -> str:
        item = self.kube.get(resource, name, space) or {}
        return str((item.get("status") or {}).get("phase", ""))

    def wait_bound(self, space: str, claim: str) -> Path:
        """Wait until the claim is bound; its directory comes back."""
        self.until(lambda: self.phase(CLAIMS, space, claim) == "Bound", f"claim {claim}")
        bound = self.kube.get(CLAIMS, claim, space)
        assert bound is not None
        return self.cluster.disks.volumes / str(bound["spec"]["volumeName"])

    def wait_ready(self, space: str, pod: str) -> Object:
        def ready() -> bool:
            found = self.kube.get(PODS, pod, space)
            return found is not None and is_ready(found)

        self.until(ready, f"pod {pod}")
        found = self.kube.get(PODS, pod, space)
        assert found is not None
        return found

    def wait_deployed(self, space: str, name: str) -> None:
        def available() -> bool:
            found = self.kube.get(DEPLOYMENTS, name, space) or {}
            return bool((found.get("status") or {}).get("availableReplicas"))

        self.until(available, f"deployment {name}")

    def status(self, resource: Resource, space: str, name: str) -> Object:
        found = self.kube.get(resource, name, space) or {}
        status: Object = found.get("status") or {}
        return status

    def wait_synced(self, resource: Resource, space: str, name: str, token: str) -> Object:
        """Wait for the end of the run with this manual token; the status comes back."""
        self.until(
            lambda: self.status(resource, space, name).get("lastManualSync") == token, f"{resource.plural} {name}"
        )
        return self.status(resource, space, name)

    def wait_restored(self, space: str, name: str, token: str) -> Object:
        return self.wait_synced(DESTINATIONS, space, name, token)

    def wait_saved(self, space: str, name: str, token: str) -> Object:
        return self.wait_synced(SOURCES, space, name, token)


def listing(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Path → owner, group, mode, digest of everything in a volume but `lost+found`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name != "lost+found":
            seen = path.lstat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[name] = (seen.st_uid, seen.st_gid, seen.st_mode & 0o7777, digest)
    return found
