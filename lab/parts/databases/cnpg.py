"""CloudNativePG as the lab runs it: a stand-in of its operator, and pods in which a real PostgreSQL runs (instance.py).

The real operator is not run: it reaches each instance's manager at its pod's address, is reached by the API server as a webhook,
and puts its own binary into a pod by an init container, none of which the lab's network and kubelet give.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.parts.databases import instance as script
from lab.parts.databases.barman import found, lacks
from lab.parts.pods.images import Image, Place, Sandboxed, client_environment, interpreter
from lab.parts.programs import CHECKOUT
from lab.parts.supervisor import Program, Rank

SCRATCH = "scratch-data"
"""The volume in which an instance says that it is ready, as the real one's pods call it."""
INSTANCE = "/.lab/instance.py"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SYSTEM = ("usr", "bin", "lib", "sbin")


def why_none() -> str:
    """Why databases of a house are not restored for real here, "" where they are."""
    if os.geteuid() != 0:
        return "who is not root is root alone in a pod's user namespace, as whom PostgreSQL does not run"
    return lacks()


def database_images() -> dict[str, Image]:
    """Image name → what stands for it. None where no real PostgreSQL can run: then a Cluster stays what Git says of it."""
    return {} if why_none() else {"cloudnative-pg": Operator(), "postgresql": InstanceImage(files=_files)}


def _files() -> Mapping[str, Path]:
    """The script, and folders of programs that a pod does not see anyway."""
    program = Path(script.__file__).resolve()
    folders = {path.parents[1] for path in found().values() if path.parts[1] not in _SYSTEM}
    return {INSTANCE: program} | {str(folder): folder for folder in folders}


class Operator:
    """The stand-in for the operator: a process of the lab's own, started and ended with its Deployment's pod."""

    def program(self, place: Place) -> Program:
        """The stand-in, with the rights of its pod's account."""
        environment = {**client_environment(place, str(place.kubeconfig())), "PYTHONPATH": str(CHECKOUT)}
        return Program(place.name, (sys.executable, "-m", "lab.parts.databases.operator"), Rank.CLIENT, environment)

    def probe(self, place: Place) -> bool:
        """It serves as soon as it runs."""
        return True


@dataclass(frozen=True)
class InstanceImage(Sandboxed):
    """PostgreSQL's image: the programs of this machine, and barman-cloud."""

    def environment(self, place: Place) -> dict[str, str]:
        """As any container's; with where its programs are, and how a knob lets a recovery be wrong."""
        programs = {name: str(path) for name, path in found().items()}
        own = {
            "PATH": f"{found()['postgres'].resolve().parent}:{_PATH}", "LAB_PROGRAMS": json.dumps(programs),
            "LAB_PYTHON": interpreter(), "LAB_LIE": place.knobs.database_lie,
        }  # fmt: skip
        return super().environment(place) | own

    def probe(self, place: Place) -> bool:
        """Ready while it says so."""
        return (place.folder / "volumes" / SCRATCH / script.READY).exists()
