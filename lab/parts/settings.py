"""What a lab's cluster is told once: its folder, its addresses, its storage, and which images it knows. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.parts import flux
from lab.parts.databases.cnpg import database_images
from lab.parts.objects.manifests import DRIVER
from lab.parts.plane.controllers import SNAPSHOT_CONTROLLER
from lab.parts.pods.images import APPLICATION_IMAGE, Image, Images, application, ourselves, shell, short_name
from lab.parts.volsync import MOVER, MOVER_NAME, VOLSYNC


@dataclass(frozen=True)
class Settings:
    """`prefix`: the block of the lab, its first three numbers. `exports`: NFS `server:path` → directory.

    `network_images`: short names of the images whose pod makes a node Ready (`cilium`); none: nodes are Ready at once.
    `environment` is added to Flux's controllers. `exists` tells of an image that is not in the table whether it can be pulled.
    """

    root: Path
    prefix: str
    vip: str = ""
    service_subnet: str = "10.96.0.0/16"
    sans: tuple[str, ...] = ()
    drivers: frozenset[str] = frozenset({DRIVER})
    exports: Mapping[str, Path] = field(default_factory=dict)
    network_images: frozenset[str] = frozenset()
    images: Mapping[str, Image] = field(default_factory=dict)
    environment: tuple[tuple[str, str], ...] = ()
    exists: Callable[[str], bool] = lambda image: True

    @property
    def endpoint(self) -> str:
        """The address of the cluster's endpoint."""
        return self.vip or f"{self.prefix}.10"


def known_images(settings: Settings) -> Images:
    """The table of images: the lab's own, VolSync, Flux, databases where PostgreSQL is here, and what the settings add."""
    known: dict[str, Image] = {
        MOVER_NAME: MOVER,
        short_name(APPLICATION_IMAGE): application(),
        "blackstart": ourselves(),
        "busybox": shell(),
        "python": shell(),
        "volsync": VOLSYNC,
        "snapshot-controller": SNAPSHOT_CONTROLLER,
        **flux.controllers(settings.environment),
        "flux-operator": flux.Operator(),
        **database_images(),
        **settings.images,
    }
    return Images(known, settings.exists)
