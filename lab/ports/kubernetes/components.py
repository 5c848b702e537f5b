"""The components port, in process: what the modelled cluster runs, as the API would have it, read by the adapter's own reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from adapters.components.inventory import NO_READINESS
from adapters.components.kstatus import status_of
from adapters.components.reading import kustomization_of, program_of, seen_of
from adapters.components.results import AgeKey, Applied, AppliedLook, Ask, Program, Seen
from adapters.helm.results import ReleaseStatus
from lab.world.cluster.components import Object, conditions, custom, stamp, workload
from lab.world.cluster.kubernetes import KubeWorld, Objects

_KINDS = ("DaemonSet", "Deployment", "StatefulSet")
_CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
_IMAGES = {"cilium": "quay.io/cilium/cilium", "volsync": "quay.io/backube/volsync"}


class ModelledComponents:
    """Components port (adapters.components.port)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube

    def programs(self) -> tuple[Program, ...]:
        """See port.ComponentsView."""
        with self._kube.world.looking():
            found = [program_of(one["kind"], one) for one in self._all(self._kube.objects()) if one["kind"] in _KINDS]
            return tuple(sorted(found, key=lambda one: (one.namespace, one.name, one.kind)))

    def objects(self, ask: Ask) -> tuple[Seen, ...] | None:
        """See port.ComponentsView."""
        with self._kube.world.looking():
            objects = self._kube.objects()
            apis = [f"{ask.group}/{version}" for version in ask.versions]
            found = [seen_of(ask, one) for one in self._all(objects) if one["kind"] == ask.kind and one["apiVersion"] in apis]
            served = bool(found) or ask.group in objects.component_groups
            return tuple(sorted(found, key=lambda one: one.key)) if served else None

    def applied(self) -> AppliedLook:
        """See port.ComponentsView: the inventory of a Kustomization is what bears its label."""
        with self._kube.world.looking():
            objects = self._kube.objects()
            labelled = [one for one in self._all(objects) if kustomization_of(one)]
            told = [one for one in labelled if (one["apiVersion"].rpartition("/")[0], one["kind"]) not in NO_READINESS]
            lost = (replace(_applied(one), there=False) for one in objects.components_lost if kustomization_of(one))
            return AppliedLook((*map(_applied, told), *lost), len(labelled) - len(told))

    def age_keys(self) -> tuple[AgeKey, ...]:
        """See port.ComponentsView: a Secret that a bootstrap put there holds the house's own key, unless somebody put another."""
        with self._kube.world.looking():
            objects, house = self._kube.objects(), self._kube.house
            needed: dict[tuple[str, str], list[str]] = {}
            for app in house.flux_apps:
                if app.decryption and app.key in objects.kustomizations:
                    needed.setdefault((app.namespace, app.decryption), []).append(app.key)
            own = frozenset({house.age_recipient})
            return tuple(
                AgeKey(*place, tuple(sorted(owners)), place in objects.secrets, objects.age_keys.get(place, own))
                for place, owners in sorted(needed.items())
            )

    def _all(self, objects: Objects) -> list[Object]:
        """What was put there, and what follows from the rest of the modelled cluster; of two of a name the former."""
        found = {_identity(one): one for one in (*self._derived(objects), *objects.components)}
        return [one for key, one in found.items() if key not in {_identity(lost) for lost in objects.components_lost}]

    def _derived(self, objects: Objects) -> Iterator[Object]:
        now, nodes = self._kube.world.clock.now(), len(self._kube.house.nodes)
        for (namespace, name), release in objects.releases.items():
            if release.status is ReleaseStatus.DEPLOYED and name != "flux-instance":
                kind = "DaemonSet" if name == "cilium" else "Deployment"
                yield workload(kind, namespace, name, _IMAGES.get(name, f"ghcr.io/{name}/{name}"), name, nodes)
        if objects.flux_running:
            space = self._kube.house.flux.namespace
            yield from (workload("Deployment", space, name, f"ghcr.io/fluxcd/{name}") for name in _CONTROLLERS)
            yield custom("fluxcd.controlplane.io/v1", "FluxInstance", f"{space}/flux", {}, now=now)
        for app in self._kube.house.flux_apps:
            state = objects.kustomizations.get(app.key)
            if state is not None and state.ready and app.name in _IMAGES:
                yield _of(app.key, workload("Deployment", app.target_namespace, app.name, _IMAGES[app.name]))
        for claim in self._kube.house.claims:
            there = objects.claims.get((claim.namespace, claim.claim))
            if there is not None:
                meta = {"name": there.name, "namespace": there.namespace}
                status = {"phase": "Bound" if there.bound else "Pending"}
                made = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "status": status}
                yield _of(claim.flux_app, made)
        for source in objects.sources.values():
            trigger = {"schedule": source.schedule, "manual": source.manual}
            spec = {
                "sourcePVC": source.claim, "paused": source.paused, "trigger": trigger,
                "restic": {"repository": "of-it", "retain": {"daily": 7, "last": source.retain_last}},
            }  # fmt: skip
            told: Object = {"conditions": conditions(Synchronizing=(source.running, "WaitingForSchedule"))}
            told |= {"lastSyncTime": stamp(source.last_sync)} if source.last_sync else {}
            told |= {"latestMoverStatus": {"result": source.result}} if source.result else {}
            key = f"{source.namespace}/{source.name}"
            yield custom("volsync.backube/v1alpha1", "ReplicationSource", key, spec, told, now=now, age=60.0)


def _identity(one: Object) -> tuple[str, str, str]:
    return one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


def _of(kustomization: str, one: Object) -> Object:
    """The object with the labels of the Kustomization that applies it."""
    namespace, _, name = kustomization.partition("/")
    labels = {"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": namespace}
    return one | {"metadata": one["metadata"] | {"labels": labels}}


def _applied(one: Object) -> Applied:
    status, why = status_of(one)
    meta = one["metadata"]
    group = one["apiVersion"].rpartition("/")[0]
    return Applied(kustomization_of(one), group, one["kind"], meta.get("namespace", ""), meta["name"], status=status, why=why)
