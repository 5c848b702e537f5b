"""Runs VolSync's mover script in its sandbox, with real restic, on folders that stand for its volume and its repository."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lab.parts.knobs import Knobs
from lab.parts.kube import Object, Resource
from lab.parts.pods import images
from lab.parts.pods.images import Place
from lab.parts.pods.podspec import PodSpec
from lab.parts.programs import find
from lab.parts.supervisor import Supervisor

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Ended:
    """A mover's end: its code and its log."""

    code: int
    log: str


def no_token(seconds: int) -> str:
    """Of a pod whose service account is nobody's."""
    raise AssertionError("this pod asks for no token")


def no_api(resource: Resource, name: str, namespace: str) -> Object | None:
    raise AssertionError(f"the mover's pod asked for {resource.plural} {name}")


class Movers:
    """Runs mover pods on folders that stand for /data and for the repository's place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._numbers = count(1)

    def run(
        self,
        *actions: str,
        repository: Path,
        data: Path,
        uid: int = 0,
        command: str = images.MOVER_ENTRY,
        writable: bool = False,
        **environment: str,
    ) -> Ended:
        """One pod from start to end; `environment` is added to its own. `writable`: also its root file system."""
        place = self._place((command, *actions), repository, data, uid, environment)
        place.container["securityContext"]["readOnlyRootFilesystem"] = not writable
        supervisor = Supervisor(self.root / "lab")
        supervisor.start(images.mover().program(place))
        deadline = time.monotonic() + 60
        while supervisor.alive(place.name):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        supervisor.down()
        return Ended(int(place.exit_file.read_text()), supervisor.log(place.name).read_text())

    def _place(
        self, argv: tuple[str, ...], repository: Path, data: Path, uid: int, environment: dict[str, str]
    ) -> Place:
        number = next(self._numbers)
        values = {
            "RESTIC_REPOSITORY": "/mnt/repository",
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": "/cache",
            "DATA_DIR": "/data",
            "PRIVILEGED_MOVER": "0",
            **environment,
        }
        container: Object = {
            "name": "restic",
            "image": images.MOVER_IMAGE,
            "command": list(argv[:1]),
            "args": list(argv[1:]),
            "env": [{"name": k, "value": v} for k, v in values.items()],
            "volumeMounts": [
                {"name": "data", "mountPath": "/data"},
                {"name": "repository", "mountPath": "/mnt/repository"},
                {"name": "cache", "mountPath": "/cache"},
                {"name": "tempdir", "mountPath": "/tmp"},
            ],
            "securityContext": {
                "runAsUser": uid,
                "runAsGroup": uid,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
        }
        volumes = [
            {"name": "data", "nfs": {"server": "lab", "path": "/data"}},
            {"name": "repository", "nfs": {"server": "lab", "path": "/repository"}},
            {"name": "cache", "emptyDir": {}},
            {"name": "tempdir", "emptyDir": {}},
        ]
        meta = {"name": f"mover-{number}", "namespace": "test", "uid": f"{number:08d}"}
        pod: Object = {"metadata": meta, "spec": {"containers": [container], "volumes": volumes}}
        folder = self.root / "pods" / str(number)
        folder.mkdir(parents=True)
        spec = PodSpec(no_api, pod, folder, self.root, {"lab:/data": data, "lab:/repository": repository}, no_token)
        return Place(pod, container, folder, "127.0.0.1", spec, Knobs(), Path)


def snapshot_times(repository: Path) -> list[str]:
    """When each snapshot of the repository was made, as restic tells it."""
    return [str(found["time"]) for found in json.loads(restic(repository, "snapshots")) or []]


def restic(repository: Path, *arguments: str) -> str:
    """What restic says of the repository, as JSON."""
    argv = [str(find("restic")), "--repo", str(repository), "--no-cache", "--no-lock", "--json", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "RESTIC_PASSWORD": PASSWORD}
    return subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
