"""The scratch namespace and its walls, as objects; and what must be refused in it. Asks no API by itself."""

from __future__ import annotations

from adapters.kubernetes.kinds import REPLICATION_DESTINATION, REPLICATION_SOURCE, SERVICE_ACCOUNT, Kind
from adapters.kubernetes.objects import Obj

SCRATCH = "blackstart-rehearsal"
RECORD = "record"
DRILL = "blackstart/drill"
LABELS = {"app.kubernetes.io/managed-by": "blackstart", "app.kubernetes.io/component": "rehearsal"}
MOVERS = {"app.kubernetes.io/created-by": "volsync"}
"""By this label the one exception of the fence goes, as a house's own policies for movers do."""

POLICY = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
QUOTA = Kind("", "v1", "resourcequotas", "ResourceQuota")
SERVICE = Kind("", "v1", "services", "Service")
INGRESS = Kind("networking.k8s.io", "v1", "ingresses", "Ingress")
ROUTE = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")

PICKED_UP = ("external-dns", "cert-manager", "tailscale", "cloudflare", "acme", "ingress", "gateway")
"""Words in the keys of labels and annotations by which controllers for DNS, certificates and tunnels take objects up."""

_NONE = (
    "services.loadbalancers", "services.nodeports", "services", "count/ingresses.networking.k8s.io",
    "count/httproutes.gateway.networking.k8s.io", "count/replicationsources.volsync.backube",
    "count/replicationdestinations.volsync.backube",
)  # fmt: skip


def namespace_of(drill: str) -> Obj:
    """The namespace, marked with the drill that it is of."""
    return {"metadata": {"name": SCRATCH, "labels": LABELS, "annotations": {DRILL: drill}}}


def walls() -> tuple[tuple[Kind, Obj], ...]:
    """What fences it in: no way in or out but for movers, no token, and nothing that reaches out or backs up."""
    return (
        (POLICY, _policy("nothing-in-or-out", {}, [])),
        # Where a store is, only the mover's Secret says, and by a name whose addresses change: movers may go anywhere.
        (POLICY, _policy("movers-to-their-store", {"matchLabels": MOVERS}, [{}])),
        (QUOTA, {"metadata": _named("nothing-reaches-out"), "spec": {"hard": dict.fromkeys(_NONE, "0")}}),
        (SERVICE_ACCOUNT, {"metadata": _named("default"), "automountServiceAccountToken": False}),
    )


def _policy(name: str, pods: Obj, egress: list[Obj]) -> Obj:
    return {
        "metadata": _named(name),
        "spec": {"podSelector": pods, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": egress},
    }


def _named(name: str) -> Obj:
    return {"name": name, "namespace": SCRATCH, "labels": LABELS}


def record() -> Obj:
    """The ConfigMap that the drill writes into."""
    return {"metadata": _named(RECORD), "data": {}}


def forbidden() -> tuple[tuple[str, Kind, Obj], ...]:
    """What the quota must refuse, each with its words. Tried without making it."""
    port: Obj = {"ports": [{"port": 80}]}
    backend = {"service": {"name": "trial", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    restic = {"repository": "trial", "copyMethod": "Direct"}
    return (
        ("a Service of type LoadBalancer", SERVICE, {"metadata": _named("trial-1"), "spec": port | {"type": "LoadBalancer"}}),
        ("a Service with a node's port", SERVICE, {"metadata": _named("trial-2"), "spec": port | {"type": "NodePort"}}),
        ("an Ingress", INGRESS, {"metadata": _named("trial-3"), "spec": {"rules": [{"http": {"paths": [path]}}]}}),
        ("an HTTPRoute", ROUTE, {"metadata": _named("trial-4"), "spec": {"hostnames": ["trial.invalid"]}}),
        (
            "a ReplicationSource", REPLICATION_SOURCE,
            {"metadata": _named("trial-5"), "spec": {"sourcePVC": "trial", "trigger": {"manual": "x"}, "restic": restic}},
        ),
        (
            "a ReplicationDestination", REPLICATION_DESTINATION,
            {"metadata": _named("trial-6"), "spec": {"trigger": {"manual": "x"}, "restic": restic}},
        ),
    )  # fmt: skip


