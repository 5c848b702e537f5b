"""Builds folders with the real kustomize, each in a folder of its own that holds exactly what the build reads.

Knows no program: how kustomize is run is handed in. Nothing is ever written into the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from engine.errors import PermanentError
from house.flux.charts import Charts
from house.flux.reads import Reads


class NotBuilt(PermanentError):
    """kustomize refuses a folder; `evidence` holds its own words."""


class NoKustomize(PermanentError):
    """There is no kustomize to build with; the hint says how to get it."""


class Kustomize(Protocol):
    """The real kustomize."""

    def identity(self) -> str:
        """Which program it is: with another one, nothing that was kept counts. Raises NoKustomize."""

    def build(self, folder: Path) -> bytes:
        """The YAML of a folder's objects; files outside of the folder may be read. Raises NotBuilt and NoKustomize."""


@dataclass(frozen=True)
class Builder:
    """What a reader of repositories needs of this machine: kustomize, a folder in which results are kept (None: nowhere), and helm
    for charts that are here (None: none is rendered).

    The folder may be deleted at any time.
    """

    kustomize: Kustomize
    kept: Path | None = None
    charts: Charts | None = None


def built(kustomize: Kustomize, reads: Reads) -> str:
    """The YAML of what was read, built. Raises NotBuilt, with paths as the repository has them, and NoKustomize."""
    with TemporaryDirectory(prefix="blackstart-flux-") as made:
        top = Path(made).resolve()
        for name, content in reads.files.items():
            file = top / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for name, target in reads.links.items():
            link = top / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        folder = top / reads.folder
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return kustomize.build(folder).decode("utf-8", errors="replace")
        except NotBuilt as error:
            words = tuple(line.replace(f"{top}/", "").replace(str(top), ".") for line in error.evidence)
            raise NotBuilt(error.what, evidence=words, hint=error.hint) from None
