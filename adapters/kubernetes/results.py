"""What the cluster port answers: nodes, namespaces, secrets' digests, leases. Knows nothing of lightkube or HTTP."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiServer:
    """One API server, asked at its own address: does it answer, is it ready, which version."""

    address: str
    answers: bool
    ready: bool
    version: str
    detail: str = ""


@dataclass(frozen=True)
class KubeNode:
    """One node: `ready` is None while its kubelet has not said, or has not for a while. `uid` is another for each Node object."""

    name: str
    address: str
    ready: bool | None
    control_plane: bool
    version: str
    reason: str = ""
    uid: str = ""


@dataclass(frozen=True)
class LeaseHolder:
    """Who holds the house's Lease. `renewal` is opaque, and another with every renewal: whether it changes tells whether its
    holder lives. When it was renewed by the holder's clock tells nothing, for clocks differ. `since` when the holder took it by
    that clock (seconds since the epoch, 0.0 where it does not say): for people, as a reservation's is."""

    holder: str
    renewal: str
    since: float = 0.0


@dataclass(frozen=True)
class Workload:
    """An application's pods behind one claim: how many are wanted and ready.

    `resting` is how many it had before we stopped it, None when we did not. `pods` is how many its controller counted last, ready
    or not: of an older spec, too, so that one which was stopped just now is not yet without any.
    """

    kind: str
    namespace: str
    name: str
    wanted: int
    ready: int
    resting: int | None = None
    pods: int = 0


@dataclass(frozen=True)
class SeenPod:
    """One pod that has not ended, and the node that it was given ("" for none yet)."""

    namespace: str
    name: str
    node: str = ""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class SeenClaim:
    """One claim of a living cluster. `size` as Kubernetes writes it. `database` is the CloudNativePG cluster that it belongs to,
    `release` the helm release that made it, "" for none; `passing` is True for what VolSync made for one of its own runs."""

    namespace: str
    name: str
    size: str
    storage_class: str
    database: str = ""
    release: str = ""
    passing: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class StorageClass:
    """One storage class: who makes its volumes, with which parameters; `default`: claims that name no class get it."""

    name: str
    provisioner: str
    parameters: tuple[tuple[str, str], ...] = ()
    default: bool = False


@dataclass(frozen=True)
class CrdState:
    """One custom resource definition in the API.

    `keepers` are the field managers other than ours that its spec belongs to. `chart` and `digest` are what we noted on it when
    we applied it last, "" for never. `detail` says why it is not established.
    """

    name: str
    established: bool
    served: tuple[str, ...]
    keepers: tuple[str, ...] = ()
    chart: str = ""
    digest: str = ""
    leaving: bool = False
    detail: str = ""
