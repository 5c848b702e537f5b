"""What a house is read with on this machine: the kubectl that fits, and a folder for what it built."""

from __future__ import annotations

import os
from pathlib import Path

from adapters.helm.charts import HelmCharts
from adapters.kustomize.adapter import Kubectl
from house.flux.building import Builder, NoKustomize
from house.flux.charts import NotRendered
from tools.errors import ProgramMissing
from tools.locate import need

_ROOM = "blackstart/flux"


def builder() -> Builder:
    """Looks for nothing yet: kubectl is looked for when a house is read."""
    return Builder(Kubectl(_kubectl), kept_in(), HelmCharts(_helm))


def kept_in() -> Path | None:
    """The user's cache folder; None where a user has none: then everything is built anew each time."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(named) if named.startswith("/") else Path.home() / ".cache") / _ROOM
    except RuntimeError:
        return None


def _kubectl() -> Path:
    try:
        return need("kubectl")
    except ProgramMissing as error:
        raise NoKustomize(str(error), hint=error.hint, next_command=error.next_command) from error


def _helm() -> Path:
    try:
        return need("helm")
    except ProgramMissing as error:
        raise NotRendered(str(error), hint=error.hint) from error
