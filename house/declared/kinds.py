"""The kinds of objects that a house declares, and who makes an API server serve them. Knows no port and no chart's text.

Kubernetes serves its own; every other kind needs a definition, or a program that brings its own when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered


@dataclass(frozen=True, order=True)
class Kind:
    """One kind of one version: `api` as objects write it, `group/version`, or `v1` for the core group."""

    api: str
    name: str

    @property
    def group(self) -> str:
        """The API group, "" for the core one."""
        return self.api.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.name} of {self.api}"


@dataclass(frozen=True)
class DeclaredKind:
    """A kind that Kustomizations declare objects of: how many, and where the first one is."""

    kind: Kind
    count: int
    kustomization: str
    declared_in: str


@dataclass(frozen=True)
class DeclaredKinds:
    """What Flux will apply, by kind. `brought` is defined in Git itself; `unseen` are charts that nobody rendered and parts of the
    repository that were not followed, any of which may bring what is lacking."""

    declared: tuple[DeclaredKind, ...] = ()
    brought: tuple[Kind, ...] = ()
    unseen: tuple[str, ...] = ()


NO_KINDS = DeclaredKinds()

_OWN = frozenset({
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
    "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
})  # fmt: skip
# API version → the minor of Kubernetes 1 since which no API server has it; of some only these kinds, others are new in it.
_GONE: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "extensions/v1beta1": (22, ()), "apps/v1beta1": (16, ()), "apps/v1beta2": (16, ()), "batch/v1beta1": (25, ()),
    "batch/v2alpha1": (21, ()), "autoscaling/v2beta1": (25, ()), "autoscaling/v2beta2": (26, ()), "policy/v1beta1": (25, ()),
    "apiextensions.k8s.io/v1beta1": (22, ()), "apiregistration.k8s.io/v1beta1": (22, ()), "discovery.k8s.io/v1beta1": (25, ()),
    "events.k8s.io/v1beta1": (25, ()), "node.k8s.io/v1beta1": (25, ()), "rbac.authorization.k8s.io/v1beta1": (22, ()),
    "flowcontrol.apiserver.k8s.io/v1beta1": (26, ()), "flowcontrol.apiserver.k8s.io/v1beta2": (29, ()),
    "flowcontrol.apiserver.k8s.io/v1beta3": (32, ()),
    "admissionregistration.k8s.io/v1beta1": (22, ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")),
    "certificates.k8s.io/v1beta1": (22, ("CertificateSigningRequest",)),
    "coordination.k8s.io/v1beta1": (22, ("Lease",)),
    "networking.k8s.io/v1beta1": (22, ("Ingress", "IngressClass")),
    "scheduling.k8s.io/v1beta1": (22, ("PriorityClass",)),
    "storage.k8s.io/v1beta1": (22, ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")),
}  # fmt: skip
_MINOR = re.compile(r"v?1\.(\d+)")

# Programs whose definitions stand in no manifest: they make them, or serve them, once they run. Chart → API groups.
_BY_RUNNING = {
    "cilium": ("cilium.io",),
    "tigera-operator": ("crd.projectcalico.org", "operator.tigera.io", "projectcalico.org"),
    "flux-instance": ("toolkit.fluxcd.io",),
    "flux2": ("toolkit.fluxcd.io",),
}
_OF_FLUX = ("toolkit.fluxcd.io", "fluxcd.controlplane.io")
"""What applies Git brings its own kinds, or it could not."""
_OF_TALOS = ("talos.dev",)
_NOT_NEEDED = frozenset({("populator.storage.k8s.io", "VolumePopulator")})
"""Served where somebody wants claims' data sources validated; VolSync fills claims without it."""

_USUAL = {
    "monitoring.coreos.com": "the definitions of prometheus-operator",
    "gateway.networking.k8s.io": "the definitions of gateway-api",
    "externaldns.k8s.io": "the definition of external-dns",
    "snapshot.storage.k8s.io": "the chart snapshot-controller",
    "groupsnapshot.storage.k8s.io": "the chart snapshot-controller",
    "volsync.backube": "the chart volsync",
    "cert-manager.io": "the chart cert-manager with `crds.enabled: true`",
    "external-secrets.io": "the chart external-secrets",
    "postgresql.cnpg.io": "the chart cloudnative-pg",
    "barmancloud.cnpg.io": "the plugin barman-cloud",
    "fluxcd.controlplane.io": "the chart flux-operator",
    "toolkit.fluxcd.io": "Flux, which the chart flux-instance starts",
    "cilium.io": "the chart cilium, as it starts",
}


def by_itself(kind: Kind, kubernetes_version: str) -> bool:
    """Whether a cluster of this version serves the kind without any definition, or nobody minds that it does not."""
    if (kind.group, kind.name) in _NOT_NEEDED or _within(kind.group, _OF_TALOS):
        return True
    since, minor = gone_since(kind), _MINOR.match(kubernetes_version)
    if since and (minor is None or int(minor[1]) >= since):
        return False
    return kind.group in _OWN or since > 0


def gone_since(kind: Kind) -> int:
    """The minor of Kubernetes 1 since which it is served no more, 0 for what was not taken away."""
    since, kinds = _GONE.get(kind.api, (0, ()))
    return since if not kinds or kind.name in kinds else 0


def is_own(kind: Kind) -> bool:
    """Whether it is one of Kubernetes' own groups."""
    return kind.group in _OWN or gone_since(kind) > 0


def runs_with(chart: str, kind: Kind) -> bool:
    """Whether the programs of this chart (by name, path or URL) bring the kind when they run."""
    return _within(kind.group, _BY_RUNNING.get(chart.rstrip("/").rpartition("/")[2], ()))


def of_flux(kind: Kind) -> bool:
    """Whether it is one of Flux's own kinds."""
    return _within(kind.group, _OF_FLUX)


def usually_from(kind: Kind) -> str:
    """What brings the kind in most houses, in words; "" for one that is not known."""
    return next((what for group, what in _USUAL.items() if _within(kind.group, (group,))), "")


def lacking(kinds: Iterable[Kind], served: Collection[Kind], kubernetes_version: str) -> tuple[Kind, ...]:
    """Of these kinds, those that neither Kubernetes nor `served` has; each once, in order."""
    return tuple(sorted({one for one in kinds if one not in served and not by_itself(one, kubernetes_version)}))


def declared_kinds(rendered: Rendered, installed: Collection[str]) -> DeclaredKinds:
    """The kinds of all that Flux applies. `installed` are the `namespace/name` of releases that a bootstrap renders itself: a
    HelmRelease of theirs hides nothing."""
    first: dict[Kind, DeclaredKind] = {}
    brought: dict[Kind, None] = {}
    unseen = []
    for one in rendered.objects:
        kind = Kind(one.api, one.kind)
        seen = first.get(kind, DeclaredKind(kind, 0, one.kustomization, one.declared_in))
        first[kind] = replace(seen, count=seen.count + 1)
        if one.kind == "CustomResourceDefinition":
            brought.update(dict.fromkeys(defined_by(one.body)))
        if one.kind == "HelmRelease" and _within(one.group, _OF_FLUX) and f"{one.namespace}/{one.name}" not in installed:
            unseen.append(f"HelmRelease {one.namespace}/{one.name}")
    unseen += [one.subject for one in rendered.not_followed]
    return DeclaredKinds(tuple(sorted(first.values(), key=lambda one: one.kind)), tuple(brought), tuple(unseen))


def defined_by(definition: Mapping[str, Any]) -> Iterator[Kind]:
    """The kinds, one a served version, that a CustomResourceDefinition makes."""
    spec = mapping(definition.get("spec"))
    name = str(mapping(spec.get("names")).get("kind") or "")
    for version in sequence(spec.get("versions")):
        if mapping(version).get("served"):
            yield Kind(f"{spec.get('group')}/{mapping(version).get('name')}", name)


def _within(group: str, groups: Iterable[str]) -> bool:
    """Whether an API group is one of these, or below one of them."""
    return any(group == one or group.endswith(f".{one}") for one in groups)
