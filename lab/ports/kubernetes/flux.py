"""The Flux port, in process, on the modelled cluster."""

from __future__ import annotations

from dataclasses import replace

from adapters.flux.results import FluxState, SourceState
from engine.errors import PermanentError
from lab.world.cluster.flux import FluxWorld
from lab.world.cluster.kubernetes import KubeWorld


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
            name = f"{self._kube.house.flux.namespace}/{self._kube.house.flux.name}"
            source = SourceState(name, objects.flux_running, bool(commit), commit, reason, objects.source_suspended)
            # The mark outlasts a suspension that somebody else ended: it says nothing by itself.
            told = tuple(
                # Between two attempts nothing is under way (Flux calls it ProgressingWithRetry).
                replace(k, ours=k.suspended and k.ours, reconciling=k.reconciling and k.reason == "Progressing")
                for k in objects.kustomizations.values()
            )
            return FluxState(objects.flux_running, source, told)

    def request(self, kind: str, namespace: str, name: str, *, reset: bool = False) -> None:
        """See ports.Flux."""
        with self._world.looking():
            objects = self._kube.objects()
            if kind == "Kustomization":
                if (found := objects.kustomizations.get(f"{namespace}/{name}")) is not None:
                    objects.kustomizations[found.key] = replace(found, asked=self._world.clock.now())
                self._flux.apply_again(objects, f"{namespace}/{name}")
            elif objects.flux_running and not objects.source_suspended:
                self._world.after(self._kube.delays.fetch_s, "fetch", lambda: self._flux.fetch(objects))

    def suspend(self, namespace: str, name: str, *, on: bool) -> None:
        """See ports.Flux."""
        with self._world.looking():
            objects = self._kube.objects()
            key = f"{namespace}/{name}"
            found = objects.kustomizations.get(key)
            if found is None:
                raise PermanentError(f"there is no Kustomization {key}")
            if found.suspended if on else not found.ours:
                return  # somebody else's
            objects.kustomizations[key] = replace(found, suspended=on, ours=on)
