"""The manifests port, in process: each entry of the settings brings one definition, which is called after it."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.helm.results import Crd
from engine.errors import PermanentError
from house.model import CrdSource
from lab.ports.kubernetes.definitions import definitions_of


class ModelledManifests:
    """Manifests port (ports.ManifestsView). `unfetchable`: why an entry cannot be had, by its key."""

    def __init__(self, unfetchable: Mapping[str, str]) -> None:
        self._unfetchable = unfetchable

    def crds_of(self, source: CrdSource) -> tuple[Crd, ...]:
        """See ports.ManifestsView."""
        problem = self._unfetchable.get(source.key, "")
        if problem:
            raise PermanentError(f"{source.place} {problem}")
        return definitions_of(source.key.replace("/", "-"), source.key, f"{source.version} {source.sha256}")
