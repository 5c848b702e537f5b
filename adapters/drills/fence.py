"""The scratch namespace and its walls, as objects; and what must be refused in it. Asks no API by itself."""

from __future__ import annotations

from adapters.drills.openings import SERVICE, Opening
from adapters.drills.results import FenceWall
from adapters.kubernetes.kinds import REPLICATION_DESTINATION, REPLICATION_SOURCE, SERVICE_ACCOUNT, Kind
from adapters.kubernetes.objects import Obj, table
from engine.errors import PermanentError

SCRATCH = "blackstart-rehearsal"
RECORD = "record"
DRILL = "blackstart/drill"
LABELS = {"app.kubernetes.io/managed-by": "blackstart", "app.kubernetes.io/component": "rehearsal"}
MOVERS = {"app.kubernetes.io/created-by": "volsync"}
"""What a mover's pod is known by: to a house's own policies for movers, and to the fence's exception for names."""
STORE = "blackstart/store"
"""The label by which a mover's pod gets the one exception of the fence: the way to its own store."""

POLICY = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
QUOTA = Kind("", "v1", "resourcequotas", "ResourceQuota")
INGRESS = Kind("networking.k8s.io", "v1", "ingresses", "Ingress")
ROUTE = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")

PICKED_UP = ("external-dns", "cert-manager", "tailscale", "cloudflare", "acme", "ingress", "gateway")
"""Words in the keys of labels and annotations by which controllers for DNS, certificates and tunnels take objects up."""

_NAMES = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
_NONE = (
    "services.loadbalancers", "services.nodeports", "services", "count/ingresses.networking.k8s.io",
    "count/httproutes.gateway.networking.k8s.io", "count/replicationsources.volsync.backube",
    "count/replicationdestinations.volsync.backube",
)  # fmt: skip


def drills_of(house_id: str) -> str:
    """Whom a drill's own Lease is of: not the house, whose runs it keeps nobody from."""
    return f"{house_id}-rehearsal"


def namespace_of(drill: str) -> Obj:
    """The namespace, marked with the drill that it is of."""
    return {"metadata": {"name": SCRATCH, "labels": LABELS, "annotations": {DRILL: drill}}}


def ours(space: Obj) -> bool:
    """Whether a namespace is a drill's."""
    return LABELS.items() <= table(space, "metadata", "labels").items()


def not_ours(name: str) -> PermanentError:
    """The refusal of a namespace that has a name of a drill's and is somebody else's."""
    return PermanentError(f"there is a namespace {name} that is not ours", hint="rename or delete it: a drill needs that name")


def walls() -> tuple[tuple[Kind, Obj], ...]:
    """What fences it in: no way in or out but for movers, no token, and nothing that reaches out or backs up."""
    return (
        (POLICY, _policy("nothing-in-or-out", {}, [])),
        (POLICY, _policy("movers-may-ask-for-names", {"matchLabels": MOVERS}, [{"ports": _NAMES}])),
        (QUOTA, {"metadata": _named("nothing-reaches-out"), "spec": {"hard": dict.fromkeys(_NONE, "0")}}),
        (SERVICE_ACCOUNT, {"metadata": _named("default"), "automountServiceAccountToken": False}),
    )


def in_force(quotas: list[Obj]) -> bool:
    """Whether the cluster has taken up the whole quota."""
    return any(table(quota, "status", "hard").keys() >= set(_NONE) for quota in quotas)


def way_to_store(opening: Opening) -> Obj:
    """The one exception: this store, for the pods of its own movers."""
    of_its_own = {"matchLabels": MOVERS | {STORE: opening.mark}}
    return _policy(f"movers-to-store-{opening.mark}", of_its_own, [opening.rule] if opening.rule is not None else [])


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


def forbidden() -> tuple[tuple[FenceWall, str, Kind, Obj], ...]:
    """What must be refused, by the wall that it is of and in words. Tried without making it."""
    port: Obj = {"ports": [{"port": 80}]}
    backend = {"service": {"name": "trial", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    restic = {"repository": "trial", "copyMethod": "Direct"}
    reached, backups = FenceWall.QUOTA, FenceWall.BACKUPS
    balancer, node = port | {"type": "LoadBalancer"}, port | {"type": "NodePort"}
    source = {"sourcePVC": "trial", "trigger": {"manual": "x"}, "restic": restic}
    return (
        (reached, "a Service of type LoadBalancer", SERVICE, {"metadata": _named("trial-1"), "spec": balancer}),
        (reached, "a Service with a node's port", SERVICE, {"metadata": _named("trial-2"), "spec": node}),
        (reached, "an Ingress", INGRESS, {"metadata": _named("trial-3"), "spec": {"rules": [{"http": {"paths": [path]}}]}}),
        (reached, "an HTTPRoute", ROUTE, {"metadata": _named("trial-4"), "spec": {"hostnames": ["trial.invalid"]}}),
        (backups, "a ReplicationSource", REPLICATION_SOURCE, {"metadata": _named("trial-5"), "spec": source}),
        (
            backups, "a ReplicationDestination", REPLICATION_DESTINATION,
            {"metadata": _named("trial-6"), "spec": {"trigger": {"manual": "x"}, "restic": restic}},
        ),
    )  # fmt: skip
