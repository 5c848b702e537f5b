"""What the lab's own houses are read with: the kubectl that was built, and a folder beside the houses."""

from __future__ import annotations

from pathlib import Path

from adapters.kustomize.adapter import Kubectl
from house.flux.building import Builder
from lab.parts.programs import CHECKOUT, find


def builder() -> Builder:
    """Looks for nothing yet. ProgramMissing comes when a house is read and there is no kubectl."""
    return Builder(Kubectl(_kubectl), CHECKOUT / ".lab" / "flux")


def _kubectl() -> Path:
    return find("kubectl")
