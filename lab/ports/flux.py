"""The Flux port, in process, on the modelled cluster."""

from __future__ import annotations

from dataclasses import replace

from adapters.flux.results import FluxState, SourceState
from lab.world.flux import FluxWorld
from lab.world.kubernetes import KubeWorld


class ModelledFlux:
    """Flux port (ports.Flux)."""

    def __init__(self, kube: KubeWorld, flux: FluxWorld) -> None:
        self._kube = kube
        self._world = kube.world
        self._flux = flux

    def state(self) -> FluxState:
        """See ports.FluxView."""
        with self._world.looking():
            objects = self._kube.objects()
            commit = objects.flux_commit
            reason = "Succeeded" if commit else "Progressing"
            source = SourceState(self._kube.house.flux.name, objects.flux_running, bool(commit), commit, reason)
            return FluxState(objects.flux_running, source, tuple(objects.kustomizations.values()))

    def request(self, kind: str, namespace: str, name: str, *, reset: bool = False) -> None:
        """See ports.Flux."""
        with self._world.looking():
            objects = self._kube.objects()
            if kind == "Kustomization":
                self._flux.apply_again(objects, f"{namespace}/{name}")
            elif objects.flux_running:
                self._world.after(self._kube.delays.fetch_s, "fetch", lambda: self._flux.fetch(objects))

    def suspend(self, namespace: str, name: str, *, on: bool) -> None:
        """See ports.Flux."""
        with self._world.looking():
            objects = self._kube.objects()
            key = f"{namespace}/{name}"
            objects.kustomizations[key] = replace(objects.kustomizations[key], suspended=on)
