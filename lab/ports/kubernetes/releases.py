"""The releases port, in process: helm's records as helm leaves them, also when its process dies. Knows no program."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from adapters.helm.results import Crd, ReleaseKinds, ReleaseState, ReleaseStatus
from engine.errors import PermanentError, TransientError
from engine.text.digest import digest
from house.declared.kinds import Kind
from house.model import Release
from lab.ports.kubernetes.definitions import definitions_of, kinds_of
from lab.world.cluster.flux import FluxWorld
from lab.world.cluster.kubernetes import KubeWorld, Objects


class ModelledReleases:
    """Releases port (ports.Releases). The release named flux-instance brings Flux up, as its chart does."""

    def __init__(
        self, kube: KubeWorld, flux: FluxWorld, unfetchable: Mapping[str, str], unhooked: Mapping[str, str],
        rendered: Mapping[str, ReleaseKinds],
    ) -> None:  # fmt: skip
        self._kube = kube
        self._world = kube.world
        self._flux = flux
        self._unfetchable = unfetchable
        self._unhooked = unhooked
        self._rendered = rendered

    def releases(self) -> tuple[ReleaseState, ...]:
        """See ports.ReleasesView."""
        with self._world.looking():
            return tuple(self._kube.objects().releases.values())

    def desired_digest(self, namespace: str, name: str) -> str:
        """See ports.ReleasesView."""
        return digest(self._wanted(namespace, name))

    def deployed_digest(self, namespace: str, name: str) -> str:
        """See ports.ReleasesView."""
        with self._world.looking():
            return self._kube.objects().digests.get((namespace, name), "")

    def chart_problem(self, namespace: str, name: str) -> str:
        """See ports.ReleasesView."""
        return self._problem(namespace, name)

    def hook_problem(self, namespace: str, name: str) -> str:
        """See ports.ReleasesView."""
        return self._unhooked.get(f"{namespace}/{name}", "")

    def plugins(self) -> frozenset[str]:
        """See ports.ReleasesView. Nobody has installed any."""
        return frozenset()

    def crds_of(self, namespace: str, name: str) -> tuple[Crd, ...]:
        """See ports.ReleasesView."""
        problem = self._problem(namespace, name)
        chart = self._one(self._kube.house.crd_charts, namespace, name)
        if problem:
            raise PermanentError(f"{chart.chart} {chart.version} cannot be rendered: {problem}")
        return definitions_of(name, chart.key, chart.version)

    def kinds_of(self, namespace: str, name: str, served: Collection[Kind]) -> ReleaseKinds:
        """See ports.ReleasesView."""
        problem = self._problem(namespace, name)
        release = self._wanted(namespace, name)
        if problem:
            raise PermanentError(f"{release.chart} {release.version} cannot be rendered: {problem}")
        return self._rendered.get(release.key, kinds_of(name))

    def _problem(self, namespace: str, name: str) -> str:
        """Why there is no such chart. Words that begin with a 5xx are those of a server that could not be asked."""
        problem = self._unfetchable.get(f"{namespace}/{name}", "")
        if problem.startswith("5"):
            raise TransientError(
                "127.10.0.20:5000 could not be asked for charts", evidence=(problem,),
                hint=f"is it up, and reachable from here? What is deployed needs no chart. By hand: helm show chart {name}",
            )  # fmt: skip
        return problem

    def open_runs(self) -> tuple[str, ...]:
        """See ports.ReleasesView."""
        with self._world.looking():
            return tuple(sorted(self._kube.objects().runs))

    def sync(self, namespace: str, name: str, run: str) -> None:
        """See ports.Releases."""
        wanted = self._wanted(namespace, name)
        problem = self._problem(namespace, name)
        if problem:
            raise PermanentError(f"helm: {problem}")
        with self._world.looking():
            objects = self._kube.objects()
            old = objects.releases.get((namespace, name))
            if old is not None and old.pending:
                raise PermanentError(
                    f"helm: another operation (install/upgrade/rollback) is in progress on {namespace}/{name}",
                    evidence=(old.status.value,),
                )
            objects.runs.add(run)
            objects.namespaces.add(namespace)
            first = old is None
            pending = ReleaseState(
                namespace, name, ReleaseStatus.PENDING_INSTALL if first else ReleaseStatus.PENDING_UPGRADE,
                (old.revision if old else 0) + 1, wanted.chart, wanted.version, f"uid-{self._world.random.getrandbits(32):08x}/1",
                run=run,
            )  # fmt: skip
            objects.releases[(namespace, name)] = pending
            self._world.happened("helm", f"{pending.status.value} {namespace}/{name}")
        self._world.clock.sleep(self._kube.delays.release_s)
        with self._world.looking():
            if objects.releases.get((namespace, name)) is pending and self._kube.alive(objects):
                self._deployed(objects, pending, wanted)

    def fence(self, run: str) -> None:
        """See ports.Releases."""
        with self._world.looking():
            self._kube.objects().runs.discard(run)

    def drop_pending(self, state: ReleaseState) -> None:
        """See ports.Releases."""
        with self._world.looking():
            objects = self._kube.objects()
            now = objects.releases.get((state.namespace, state.name))
            if now is None or now.record != state.record:
                raise PermanentError(f"the pending record of {state.namespace}/{state.name} has changed since it was seen")
            if now.revision > 1:
                objects.releases[(state.namespace, state.name)] = replace(
                    now, status=ReleaseStatus.DEPLOYED, revision=now.revision - 1
                )
            else:
                del objects.releases[(state.namespace, state.name)]

    def _deployed(self, objects: Objects, pending: ReleaseState, wanted: Release) -> None:
        key = (pending.namespace, pending.name)
        objects.releases[key] = replace(pending, status=ReleaseStatus.DEPLOYED, run="")
        if not any(release.run == pending.run for release in objects.releases.values()):
            objects.runs.discard(pending.run)
        objects.digests[key] = digest(wanted)
        if pending.name == "flux-instance":
            self._flux.start(objects)

    def _wanted(self, namespace: str, name: str) -> Release:
        return self._one(self._kube.house.releases, namespace, name)

    def _one(self, known: tuple[Release, ...], namespace: str, name: str) -> Release:
        for release in known:
            if (release.namespace, release.name) == (namespace, name):
                return release
        raise PermanentError(f"{namespace}/{name} is no release of the helmfile")
