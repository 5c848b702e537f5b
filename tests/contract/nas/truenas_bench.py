"""One box behind the TrueNAS door, and the real adapter before it: what the contract tests play with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.nas.adapter import TrueNas
from adapters.nas.results import NasLook
from adapters.nas.session import Bounds
from engine.secrets import Secret
from house.settings.references import SecretRef
from house.values.nas import Export, Nas, NasExport
from lab.wire.pki import LabCA, ServerKeys
from lab.wire.truenas.door import TrueNasDoor
from lab.world.nas import LabNas, LabUser, sample_nas

KEY = "3-" + "kQ7wZ2xN" * 8
VERSIONS = ("25.04.2.6", "25.10.6", "26.0.0-BETA.3")


@dataclass
class NasBench:
    """The box, its door, and the settings that name it."""

    box: LabNas
    door: TrueNasDoor
    nas: Nas
    keys: ServerKeys
    ca: LabCA

    def look(self, bounds: Bounds | None = None, **changes: object) -> NasLook:
        """A fresh look by the real adapter."""
        nas = replace(self.nas, **changes)  # type: ignore[arg-type]  # fields by name
        return TrueNas(lambda reference: Secret(KEY), bounds or Bounds(look_s=10.0, job_s=0.6)).look(nas)


@contextmanager
def bench(folder: Path, version: str, *, idle_s: float | None = None) -> Iterator[NasBench]:
    """A box in order, of this version."""
    ca = LabCA(folder / "ca")
    keys = ca.server("nas", "127.0.0.1")
    box = sample_nas(time.time(), LabUser("blackstart", KEY), version=version)
    door = TrueNasDoor(box, keys.context(), idle_s=idle_s, binding=keys.digest).start()
    wanted = (NasExport(Export.NFS, "/mnt/tank/backup", "apps/notes"), NasExport(Export.SMB, "media", "media/films"))
    nas = Nas(
        "nas", "127.0.0.1", door.port, keys.fingerprint, "", "blackstart", SecretRef(("env:NAS",)),
        datasets=("tank/backup",), exports=wanted,
    )  # fmt: skip
    try:
        yield NasBench(box, door, nas, keys, ca)
    finally:
        door.close()
