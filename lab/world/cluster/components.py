"""Objects of the systems that a house runs, as their operators leave them when all is well. None of them runs in the lab.

Written as the API has them, so that the modelled house and the lab's API servers tell the same, and the adapter's own reading
is what reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
HOUR_S, DAY_S = 3600.0, 86400.0
_ROLLED = (True, "NewReplicaSetAvailable")
EXTERNAL_DNS = ("cloudflare-dns", "unifi-dns")
WORKLOADS = (
    ("DaemonSet", "kube-system", "spegel", "ghcr.io/spegel-org/spegel", "spegel"),
    ("Deployment", "cert-manager", "cert-manager", "quay.io/jetstack/cert-manager-controller", "cert-manager"),
    ("Deployment", "cert-manager", "cert-manager-webhook", "quay.io/jetstack/cert-manager-webhook", "cert-manager"),
    ("Deployment", "external-secrets", "external-secrets", "ghcr.io/external-secrets/external-secrets", "external-secrets"),
    ("Deployment", "external-secrets", "onepassword-connect", "docker.io/1password/connect-api", "onepassword-connect"),
    *(("Deployment", "network", name, "registry.k8s.io/external-dns/external-dns", name) for name in EXTERNAL_DNS),
    ("Deployment", "network", "cloudflare-tunnel", "docker.io/cloudflare/cloudflared", "cloudflare-tunnel"),
    ("Deployment", "actions-runner-system", "arc", "ghcr.io/actions/gha-runner-scale-set-controller", "actions-runner-controller"),
    ("Deployment", "observability", "kps-operator", "quay.io/prometheus-operator/prometheus-operator", "kube-prometheus-stack"),
    ("Deployment", "tailscale", "operator", "docker.io/tailscale/k8s-operator", "tailscale-operator"),
    ("Deployment", "database", "cloudnative-pg", "ghcr.io/cloudnative-pg/cloudnative-pg", "cloudnative-pg"),
    ("Deployment", "kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server", "metrics-server"),
)
"""Kind, namespace, name, image, and helm release of each workload; the last is one that no file of ours knows."""
STOOD_IN = frozenset(one[3].removeprefix("docker.io/") for one in WORKLOADS)
"""Their images, as manifests write them."""


def stamp(at: float) -> str:
    """A time (seconds since the epoch) as Kubernetes writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last_full(every_s: float, now: float) -> float:
    """When something that happens every so many seconds, by the clock, happened last before `now`."""
    return now - now % every_s


def workload(kind: str, namespace: str, name: str, image: str, release: str = "", nodes: int = 1) -> Object:
    """A workload with all of its pods ready: on `nodes` nodes where it is a DaemonSet."""
    notes = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace} if release else {}
    made: Object = {
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "generation": 1, "annotations": notes, "labels": {}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "app", "image": f"{image}:v1.0.0"}]}}},
        "status": {"observedGeneration": 1},
    }  # fmt: skip
    if kind == "DaemonSet":
        counts = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady")
        made["status"] |= dict.fromkeys(counts, nodes)
        return made
    per_pod = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
    made["status"] |= dict.fromkeys(per_pod, 1)
    made["status"]["conditions"] = conditions(Available=(True, "MinimumReplicasAvailable"), Progressing=_ROLLED)
    return made


def unready(item: Object, why: str = "its pods crash") -> Object:
    """The same workload without a ready pod."""
    status = {key: 0 if key in ("numberAvailable", "numberReady", "availableReplicas", "readyReplicas") else value
              for key, value in item["status"].items()}  # fmt: skip
    if "conditions" in status:
        status["conditions"] = conditions(Available=(False, "MinimumReplicasUnavailable", why), Progressing=_ROLLED)
    return item | {"status": status}


def conditions(**said: tuple[bool | None, str] | tuple[bool | None, str, str]) -> list[Object]:
    """Conditions by their types: what they say, the reason, and a message."""
    words = {True: "True", False: "False", None: "Unknown"}
    return [
        {"type": kind, "status": words[one[0]], "reason": one[1], "message": one[2] if len(one) > 2 else ""}
        for kind, one in said.items()
    ]


def custom(
    api: str, kind: str, key: str, spec: Object, status: Object | None = None, *, now: float, age: float = 10 * DAY_S
) -> Object:  # fmt: skip
    """An object of an operator's kind, made `age` seconds ago; Ready where `status` says nothing else.

    `key` is its namespace/name, or the name alone.
    """
    namespace, _, name = key.rpartition("/")
    place: Object = {"name": name, "generation": 1, "creationTimestamp": stamp(now - age)}
    place |= {"namespace": namespace} if namespace else {}
    ready = {"conditions": conditions(Ready=(True, "Succeeded"))}
    return {"apiVersion": api, "kind": kind, "metadata": place, "spec": spec, "status": ready | (status or {})}


def healthy(now: float, nodes: int = 4) -> list[Object]:
    """All of them, with nothing wrong at `now` (seconds since the epoch)."""
    return [*(workload(*one, nodes=nodes) for one in WORKLOADS), *operated(now)]


def operated(now: float) -> Iterator[Object]:
    """What operators made of their own kinds."""
    yield from _certificates(now)
    yield from _secrets(now)
    yield from _runners(now)
    yield from _databases(now)
    available: Object = {"conditions": conditions(Available=(True, ""), Reconciled=(True, ""))}
    for kind in ("Prometheus", "Alertmanager"):
        yield custom("monitoring.coreos.com/v1", kind, "observability/main", {}, available, now=now)
    for kind in ("Connector", "ProxyGroup"):
        said: Object = {"conditions": conditions(**{f"{kind}Ready": (True, "Created")})}
        yield custom("tailscale.com/v1alpha1", kind, "house", {}, said, now=now)
    told: Object = {"conditions": [], "observedGeneration": 1}
    record = custom("externaldns.k8s.io/v1alpha1", "DNSEndpoint", "network/tunnel", {}, told, now=now)
    flux = "kustomize.toolkit.fluxcd.io"
    record["metadata"]["labels"] = {f"{flux}/name": "cloudflare-dns", f"{flux}/namespace": "network"}
    yield record


def _certificates(now: float) -> Iterator[Object]:
    api = "cert-manager.io/v1"
    yield custom(api, "ClusterIssuer", "letsencrypt-production", {}, now=now)
    yield custom(api, "Issuer", "database/barman", {}, now=now)
    issuer = {"name": "letsencrypt-production", "kind": "ClusterIssuer"}
    times: Object = {
        "notBefore": stamp(now - 10 * DAY_S), "notAfter": stamp(now + 80 * DAY_S), "renewalTime": stamp(now + 50 * DAY_S),
    }  # fmt: skip
    yield custom(api, "Certificate", "network/house", {"issuerRef": issuer, "secretName": "house-tls"}, times, now=now)
    valid: Object = {"conditions": [], "state": "valid"}
    names = ["house.example", "*.house.example"]
    yield custom("acme.cert-manager.io/v1", "Order", "network/house-1", {"dnsNames": names}, valid, now=now)


def _secrets(now: float) -> Iterator[Object]:
    api = "external-secrets.io/v1"
    yield custom(api, "ClusterSecretStore", "onepassword", {}, now=now)
    wanted = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "onepassword"}, "refreshInterval": "1h"}
    yield custom(api, "ExternalSecret", "apps/notes", wanted, {"refreshTime": stamp(last_full(HOUR_S, now))}, now=now)
    yield custom(api, "ClusterExternalSecret", "sops-age", {}, now=now)
    yield custom(f"{api}alpha1", "PushSecret", "network/tls", {"secretStoreRefs": [{"name": "onepassword"}]}, now=now)


def _runners(now: float) -> Iterator[Object]:
    api, space = "actions.github.com/v1alpha1", "actions-runner-system"
    yield custom(api, "AutoscalingRunnerSet", f"{space}/home-ops", {}, now=now)
    of = {"autoscalingRunnerSetName": "home-ops", "autoscalingRunnerSetNamespace": space}
    yield custom(api, "AutoscalingListener", f"{space}/home-ops-listener", of, now=now)
    yield custom(api, "EphemeralRunner", f"{space}/home-ops-1", {}, {"phase": "Running"}, now=now)


def _databases(now: float) -> Iterator[Object]:
    api = "postgresql.cnpg.io/v1"
    said = conditions(Ready=(True, "ClusterIsReady"), ContinuousArchiving=(True, "ContinuousArchivingSuccess"))
    whole: Object = {"readyInstances": 3, "phase": "Cluster in healthy state", "conditions": said}
    yield custom(api, "Cluster", "database/postgres", {"instances": 3}, whole, now=now)
    of = {"cluster": {"name": "postgres"}, "schedule": "0 0 */6 * * *"}
    yield custom(api, "ScheduledBackup", "database/postgres", of, {"conditions": []}, now=now)
    done: Object = {"conditions": [], "phase": "completed", "stoppedAt": stamp(last_full(6 * HOUR_S, now))}
    yield custom(api, "Backup", "database/postgres-1", of, done, now=now)
