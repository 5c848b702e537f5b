"""What a drill inside the cluster may do: the least that works, as a table. Knows no YAML.

A drill makes two namespaces and deletes them again, so what it does in them must be allowed by its kind for the whole cluster; an
admission policy (`kept_to`) refuses each write outside of them. Secrets are read by their names alone, where the claims are.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.drills.fence import SCRATCH, drills_of
from adapters.drills.store import CANARY
from adapters.kubernetes.lease import PLACE as LEASES
from adapters.kubernetes.lease import lease_of
from house.model import House

ACCOUNT = "drill"
EVERYWHERE = ""


@dataclass(frozen=True)
class Right:
    """What may be done (`verbs`) to resources of one group, in one namespace or EVERYWHERE; `names` where it is to these alone."""

    namespace: str
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


def rights(house: House) -> tuple[Right, ...]:
    """Every right of a drill of this house, those of one namespace together."""
    return (*_everywhere(house), *_of_leases(house), *_of_claims(house))


def _everywhere(house: House) -> tuple[Right, ...]:
    made, homes = (SCRATCH, CANARY), tuple(sorted({claim.namespace for claim in house.claims}))
    return (
        Right(EVERYWHERE, "", ("namespaces",), ("create",)),
        Right(EVERYWHERE, "", ("namespaces",), ("get", "delete"), made),
        Right(EVERYWHERE, "", ("namespaces",), ("get",), homes),
        Right(EVERYWHERE, "", ("persistentvolumes",), ("list",)),
        Right(EVERYWHERE, "", ("persistentvolumeclaims",), ("get", "list", "create", "delete")),
        Right(EVERYWHERE, "", ("pods", "events"), ("list",)),
        Right(EVERYWHERE, "", ("pods/log",), ("get",)),
        Right(EVERYWHERE, "", ("configmaps",), ("list", "get", "create", "patch")),
        Right(EVERYWHERE, "", ("secrets",), ("create", "patch")),
        Right(EVERYWHERE, "", ("services",), ("get", "list", "create")),
        Right(EVERYWHERE, "", ("serviceaccounts", "resourcequotas"), ("list", "create", "patch")),
        Right(EVERYWHERE, "apps", ("deployments",), ("list",)),
        Right(EVERYWHERE, "batch", ("jobs",), ("get", "list", "create", "delete")),
        Right(EVERYWHERE, "discovery.k8s.io", ("endpointslices",), ("list",)),
        Right(EVERYWHERE, "networking.k8s.io", ("networkpolicies",), ("list", "create", "patch")),
        Right(EVERYWHERE, "networking.k8s.io", ("ingresses",), ("create",)),
        Right(EVERYWHERE, "gateway.networking.k8s.io", ("httproutes",), ("create",)),
        Right(EVERYWHERE, "volsync.backube", ("replicationsources", "replicationdestinations"), ("get", "create")),
        Right(EVERYWHERE, "snapshot.storage.k8s.io", ("volumesnapshots",), ("list",)),
    )


def _of_leases(house: House) -> tuple[Right, ...]:
    """Its own Lease, and the look at the house's. What is held is a ConfigMap, and those are read everywhere."""
    own, of_house = lease_of(drills_of(house.id)), lease_of(house.id)
    return (
        Right(LEASES, "coordination.k8s.io", ("leases",), ("create",)),
        Right(LEASES, "coordination.k8s.io", ("leases",), ("get", "update", "delete"), (own,)),
        Right(LEASES, "coordination.k8s.io", ("leases",), ("get",), (of_house,)),
    )


def _of_claims(house: House) -> tuple[Right, ...]:
    """The Secrets that the movers of claims open their stores with, by name."""
    found: dict[str, set[str]] = {}
    for claim in house.claims:
        if claim.destination:
            found.setdefault(claim.namespace, set()).add(claim.repository_secret)
    return tuple(Right(where, "", ("secrets",), ("get",), tuple(sorted(names))) for where, names in sorted(found.items()))


def kept_to() -> str:
    """The CEL expression that is true of a write which a drill may make; of a namespace's own object, that is its own name."""
    made = f"['{SCRATCH}', '{CANARY}']"
    lease = f"(request.namespace == '{LEASES}' && request.resource.resource == 'leases')"
    return f"(request.resource.resource == 'namespaces' ? request.name in {made} : request.namespace in {made}) || {lease}"
