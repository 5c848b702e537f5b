"""What can be wrong with the systems of a cluster, by name: a trouble is the objects as it leaves them. Knows no house, no API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.troubles.seen import WITHIN_S
from lab.world.cluster.components import (
    DAY_S,
    HOUR_S,
    Object,
    conditions,
    custom,
    last_full,
    operated,
    stamp,
    unready,
    workload,
)
from lab.world.cluster.components import WORKLOADS as RUNNING

Puts = Callable[[float], Iterable[Object]]


@dataclass(frozen=True)
class ComponentTrouble:
    """One named trouble: `of` is the system, `row` the one row of `cluster.verify` that turns red, `says` a word of what it tells.

    `puts` gives, for the time at which it began (seconds since the epoch), the objects that take the place of those of their names;
    `loses` those that are there no more. `key` stands for an age key in the cluster that is another one. One that nothing but age
    tells of is red `age_s` after its beginning, and `seen_within_s` is when a look must name it at the latest.
    """

    name: str
    of: str
    what: str
    row: str
    says: str
    puts: Puts = lambda _: ()
    loses: Puts = lambda _: ()
    key: bool = False
    age_s: float = 0.0
    seen_within_s: float = WITHIN_S


def _down(namespace: str, name: str) -> Puts:
    """No pod of this workload is ready."""
    known = next((one for one in RUNNING if one[1:3] == (namespace, name)), None)
    assert known is not None
    return lambda _: [unready(workload(*known, nodes=4))]


def _of_bootstrap(kind: str, namespace: str, name: str, image: str, release: str = "") -> Puts:
    """The same of what a bootstrap brings."""
    return lambda _: [unready(workload(kind, namespace, name, image, release, 4))]


def _is(kind: str, name: str, now: float) -> Object:
    """One of the objects that are in order."""
    return next(one for one in operated(now) if (one["kind"], one["metadata"]["name"]) == (kind, name))


def _with(kind: str, name: str, **status: Any) -> Puts:
    """That object with another status."""

    def puts(now: float) -> list[Object]:
        one = _is(kind, name, now)
        told = {key: value(now) if callable(value) else value for key, value in status.items()}
        return [one | {"status": one["status"] | told}]

    return puts


def _left(kind: str, name: str) -> Puts:
    """That object as its operator left it when it stopped writing it."""
    return lambda since: [_is(kind, name, since)]


def _refused(reason: str, message: str, kind: str = "Ready") -> list[Object]:
    return conditions(**{kind: (False, reason, message)})


def _order(now: float) -> list[Object]:
    why = "Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many certificates already issued"
    refused: Object = {"conditions": [], "state": "errored", "reason": why}
    names = {"dnsNames": ["house.example"]}
    return [custom("acme.cert-manager.io/v1", "Order", "network/house-2", names, refused, now=now, age=600.0)]


def _source(retain: Object) -> Puts:
    """A source of VolSync that writes a backup each hour, and has written none since."""

    def puts(since: float) -> list[Object]:
        spec = {"sourcePVC": "photos", "trigger": {"schedule": "0 * * * *"}, "restic": {"repository": "photos", "retain": retain}}
        waits = conditions(Synchronizing=(False, "WaitingForSchedule"))
        told: Object = {"lastSyncTime": stamp(last_full(HOUR_S, since)), "conditions": waits}
        return [custom("volsync.backube/v1alpha1", "ReplicationSource", "apps/photos", spec, told, now=since)]

    return puts


def _certificates() -> Iterator[ComponentTrouble]:
    kind, of = ComponentTrouble, "cert-manager"
    down = _down("cert-manager", "cert-manager-webhook")
    yield kind("cert-manager-down", of, "its webhook does not run", "component.cert-manager", "cert-manager-webhook", down)
    refused = _with("ClusterIssuer", "letsencrypt-production", conditions=_refused("ErrRegisterACMEAccount", "403 unauthorized"))
    yield kind("cert-manager-issuer-refused", of, "its issuer is refused", "component.cert-manager.issuers", "ErrRegister", refused)
    times = {"notBefore": lambda since: stamp(since - 60 * DAY_S), "notAfter": lambda since: stamp(since + 30 * DAY_S)}
    ending = _with("Certificate", "house", **times, renewalTime=stamp)
    yield kind(
        "cert-manager-certificate-ending", of, "a certificate ends in two days", "component.cert-manager.certificates",
        "was not renewed", ending, age_s=28 * DAY_S, seen_within_s=23 * DAY_S + WITHIN_S,
    )  # fmt: skip
    told = "ACME refuses an order for their number"
    yield kind("cert-manager-rate-limited", of, told, "component.cert-manager.orders", "rateLimited", _order)


def _secrets() -> Iterator[ComponentTrouble]:
    kind, of = ComponentTrouble, "external-secrets"
    row = "component.external-secrets"
    yield kind("external-secrets-down", of, "it does not run", row, "Deployment", _down("external-secrets", "external-secrets"))
    store = _with("ClusterSecretStore", "onepassword", conditions=_refused("InvalidProviderConfig", "status 401: Invalid token"))
    yield kind("external-secrets-store-refused", of, "the vault takes its token no more", f"{row}.stores", "Invalid token", store)
    failed = _with("ExternalSecret", "notes", conditions=_refused("SecretSyncedError", "key not found: notes"))
    yield kind("external-secrets-item-gone", of, "the vault has an item no more", f"{row}.secrets", "key not found", failed)
    yield kind(
        "external-secrets-stale", of, "a Secret is refreshed no more", f"{row}.secrets", "was refreshed last",
        _left("ExternalSecret", "notes"), age_s=3 * DAY_S, seen_within_s=3 * HOUR_S + WITHIN_S,
    )  # fmt: skip
    connect = _down("external-secrets", "onepassword-connect")
    row, of = "component.onepassword-connect", "1Password Connect"
    yield kind("onepassword-connect-down", of, "it does not run", row, "onepassword-connect", connect)
    yield kind("sops-key-of-another", "sops", "an age key in the cluster is another", "component.sops", ".sops.yaml", key=True)


def _network() -> Iterator[ComponentTrouble]:
    kind = ComponentTrouble
    cilium = _of_bootstrap("DaemonSet", "kube-system", "cilium", "quay.io/cilium/cilium", "cilium")
    yield kind("cilium-down", "cilium", "its agents do not run", "component.cilium", "DaemonSet", cilium)
    coredns = _of_bootstrap("Deployment", "kube-system", "coredns", "ghcr.io/coredns/coredns", "coredns")
    yield kind("coredns-down", "coredns", "it does not run", "component.coredns", "Deployment", coredns)
    yield kind("spegel-down", "spegel", "it runs on no node", "component.spegel", "DaemonSet", _down("kube-system", "spegel"))
    for name in ("cloudflare-dns", "unifi-dns"):
        row = f"component.external-dns/network/{name}"
        yield kind(f"external-dns-{name}-down", "external-dns", f"{name} does not run", row, name, _down("network", name))
    tunnel = _down("network", "cloudflare-tunnel")
    told = "it has no connection to Cloudflare"
    yield kind("cloudflared-down", "cloudflared", told, "component.cloudflared", "cloudflare-tunnel", tunnel)
    operator, row = _down("tailscale", "operator"), "component.tailscale-operator"
    yield kind("tailscale-operator-down", "tailscale-operator", "it does not run", row, "Deployment", operator)
    lost = _with("Connector", "house", conditions=_refused("ConnectorCreationFailed", "auth key expired", "ConnectorReady"))
    yield kind("tailscale-connector-lost", "tailscale-operator", "its key has ended", f"{row}.proxies", "auth key", lost)


def _watching() -> Iterator[ComponentTrouble]:
    kind, row = ComponentTrouble, "component.kube-prometheus-stack"
    of = "kube-prometheus-stack"
    yield kind("prometheus-operator-down", of, "its operator does not run", row, "kps", _down("observability", "kps-operator"))
    gone = _refused("NoPodReady", "0 of 1 pods are available", "Available")
    told = "it does not run"
    yield kind("prometheus-unavailable", of, told, f"{row}.prometheus", "NoPodReady", _with("Prometheus", "main", conditions=gone))
    mute = _with("Alertmanager", "main", conditions=gone)
    yield kind("alertmanager-unavailable", of, "alerts reach nobody", f"{row}.alertmanager", "NoPodReady", mute)
    of, row = "actions-runner-controller", "component.actions-runner-controller"
    yield kind("runner-controller-down", of, "it does not run", row, "Deployment", _down("actions-runner-system", "arc"))
    yield kind(
        "runner-listener-gone", of, "GitHub refuses its credentials, and it has no listener", f"{row}.runners", "no listener",
        loses=lambda now: [_is("AutoscalingListener", "home-ops-listener", now)],
    )  # fmt: skip
    stuck = _with("EphemeralRunner", "home-ops-1", phase="Failed", reason="TooManyPodFailures")
    yield kind("runner-failed", of, "a runner has failed for good", f"{row}.runners", "TooManyPodFailures", stuck)


def _delivery() -> Iterator[ComponentTrouble]:
    kind, space = ComponentTrouble, "flux-system"
    operator = _of_bootstrap("Deployment", space, "flux-operator", "ghcr.io/flux-operator/flux-operator", "flux-operator")
    yield kind("flux-operator-down", "flux", "its operator does not run", "component.flux-operator", "flux-operator", operator)
    helm = _of_bootstrap("Deployment", space, "helm-controller", "ghcr.io/fluxcd/helm-controller")
    yield kind("flux-controller-down", "flux", "helm-controller does not run", "component.flux", "helm-controller", helm)
    yield kind(
        "flux-instance-failed", "flux", "its FluxInstance is refused", "component.flux-operator.instance", "BuildFailed",
        lambda now: [custom("fluxcd.controlplane.io/v1", "FluxInstance", f"{space}/flux", {},
                            {"conditions": _refused("BuildFailed", "unknown distribution")}, now=now)],
    )  # fmt: skip
    down = _down("kube-system", "metrics-server")
    told = "a workload that no file of ours knows does not run"
    yield kind("applied-unready", "flux", told, "component.applied", "metrics-server", down)
    told = "an object that Flux applied is gone"
    yield kind(
        "applied-gone", "flux", told, "component.applied", "is not there", loses=lambda now: [_is("DNSEndpoint", "tunnel", now)]
    )


def _data() -> Iterator[ComponentTrouble]:
    kind, weeks = ComponentTrouble, {"daily": 7, "weekly": 4}
    mover = _of_bootstrap("Deployment", "volsync-system", "volsync", "quay.io/backube/volsync")
    yield kind("volsync-down", "volsync", "its controller does not run", "component.volsync", "Deployment", mover)
    row = "component.volsync"
    yield kind(
        "volsync-backup-late", "volsync", "no backup is written any more", f"{row}.backups", "last backup", _source(weeks),
        age_s=3 * DAY_S, seen_within_s=3 * HOUR_S + WITHIN_S,
    )  # fmt: skip
    told = "a retention keeps one snapshot"
    yield kind("volsync-retention-of-one", "volsync", told, f"{row}.retention", "keeps one snapshot", _source({}))
    of, row = "CloudNativePG", "component.cloudnative-pg"
    yield kind("cnpg-operator-down", of, "its operator does not run", row, "Deployment", _down("database", "cloudnative-pg"))
    said = conditions(Ready=(True, "ClusterIsReady"), ContinuousArchiving=(False, "ContinuousArchivingFailing", "exit status 1"))
    archive = _with("Cluster", "postgres", conditions=said)
    yield kind("cnpg-archiving-failed", of, "a database archives no log", f"{row}.clusters", "archives nothing", archive)
    half = _with("Cluster", "postgres", readyInstances=1)
    yield kind("cnpg-instances-lost", of, "a database has one instance of three", f"{row}.clusters", "1 of 3", half)
    yield kind(
        "cnpg-backup-late", of, "no base backup is made any more", f"{row}.backups", "last base backup",
        _left("Backup", "postgres-1"), age_s=5 * DAY_S, seen_within_s=13 * HOUR_S + WITHIN_S,
    )  # fmt: skip


COMPONENT_TROUBLES = {
    trouble.name: trouble
    for some in (_network, _certificates, _secrets, _watching, _delivery, _data)
    for trouble in some()
}
