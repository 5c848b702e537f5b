"""The Cluster port on a real Kubernetes API: nodes, namespaces, secrets, CRDs, the Lease. Knows no Flux, VolSync or Talos."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Collection, Sequence

from adapters.ceph.results import RookCluster
from adapters.ceph.rook import rook_clusters
from adapters.helm.results import Crd
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.definitions import crd_state, noted
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import CLAIM, CRD, NAMESPACE, NODE, SECRET, STORAGE_CLASS
from adapters.kubernetes.lease import LeaseObject
from adapters.kubernetes.objects import Obj, condition, dig, name_of, namespace_of, of_volsync, rows, table, text
from adapters.kubernetes.results import ApiServer, CrdState, KubeNode, LeaseHolder, SeenClaim, StorageClass, Workload
from adapters.kubernetes.secret_sources import SecretResolver, data_of, labels_of
from adapters.kubernetes.stopping import rest, wake
from adapters.kubernetes.workloads import KINDS, uses, workload
from adapters.longhorn.adapter import KubernetesLonghorn
from adapters.longhorn.results import LonghornLook
from engine.errors import PermanentError, TransientError
from engine.text.jsontext import Malformed, an_object, read
from engine.waiting import Clock
from engine.workers import Threads, each
from house.declared.kinds import Kind
from house.model import BootstrapSecret, House

_LOOK_S = 4.0
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class KubernetesCluster:
    """The Cluster port. `secrets` turns references into values."""

    def __init__(self, clients: Clients, house: House, clock: Clock, secrets: SecretResolver) -> None:
        self._clients, self._house, self._secrets = clients, house, secrets
        self._lease = LeaseObject(clients, house.id, clock)
        self._workers = Threads()

    def api_servers(self) -> tuple[ApiServer, ...]:
        """Every control plane's API server at its own address, asked side by side. Silence is an answer here, not an error."""
        servers = self._clients.each()
        return tuple(each(self._workers, _look_at, servers, at_once=len(servers)))

    def nodes(self) -> tuple[KubeNode, ...]:
        """Every node, by name."""
        return tuple(sorted(map(_node, self._clients.main().list_objects(NODE)), key=lambda node: node.name))

    def namespaces(self) -> tuple[str, ...]:
        """Names of the namespaces that are not on their way out."""
        found = self._clients.main().list_objects(NAMESPACE)
        return tuple(name_of(n) for n in found if text(n, "status", "phase") != "Terminating")

    def secret_matches(self, secret: BootstrapSecret) -> bool | None:
        """Whether the Secret holds what its references resolve to (more keys may be there); None when it is absent."""
        found = self._clients.main().get(SECRET, secret.name, secret.namespace)
        if found is None:
            return None
        there = table(found, "data")
        wanted = data_of(secret, self._house, self._secrets)
        # Every key is compared, and each in constant time: how long it takes says nothing.
        same = [hmac.compare_digest(_decoded(there.get(key)), value) for key, value in wanted.items()]
        return all(same)

    def crds(self, names: Sequence[str]) -> tuple[CrdState, ...]:
        """Of these CRDs, those that the API has; each is read alone, since all of them together are tens of megabytes."""
        found = (self._clients.main().get(CRD, name) for name in names)
        return tuple(crd_state(obj) for obj in found if obj is not None)

    def served(self) -> frozenset[Kind]:
        """Every kind that the API serves now, in each of its versions."""
        listed = self._clients.main().demand("GET", "/apis", "list what the API serves", accept=_DISCOVERY)
        return frozenset(
            Kind(f"{name_of(group)}/{text(version, 'version')}", text(resource, "responseKind", "kind"))
            for group in rows(listed, "items")
            for version in rows(group, "versions")
            for resource in rows(version, "resources")
        )

    def claims(self) -> tuple[SeenClaim, ...]:
        """Every claim, by namespace and name."""
        found = self._clients.main().list_objects(CLAIM)
        return tuple(sorted(map(_seen_claim, found), key=lambda claim: claim.key))

    def storage_classes(self) -> tuple[StorageClass, ...]:
        """Every storage class, by name."""
        found = self._clients.main().list_objects(STORAGE_CLASS)
        return tuple(sorted(map(storage_class, found), key=lambda one: one.name))

    def ceph_clusters(self) -> tuple[RookCluster, ...]:
        """Every CephCluster with the pools, filesystems and object stores of its namespace; none where the kind is not served."""
        return rook_clusters(self._clients.main())

    def longhorn(self, what: Collection[str]) -> LonghornLook:
        """Longhorn's nodes and these fields of a look at it; `served` False where the cluster serves none of its kinds."""
        return KubernetesLonghorn(self._clients).look(what)

    def lease(self) -> LeaseHolder | None:
        """Who took the house's Lease last, None for nobody."""
        return self._lease.holder()

    def workloads(self, namespace: str, claim: str) -> tuple[Workload, ...]:
        """Whatever runs pods that mount the claim, or will: of each kind, and pods of nobody; of a set of pods, once."""
        client = self._clients.main()
        found = (
            workload(kind, obj)
            for kind in KINDS
            for obj in client.list_objects(kind, namespace)
            if uses(kind, obj, claim)
        )
        return tuple(dict.fromkeys(found))

    def create_namespace(self, name: str) -> None:
        """Create it; nothing when it is there. TransientError while one of this name is on its way out."""
        client = self._clients.main()
        try:
            client.create(NAMESPACE, {"metadata": {"name": name}})
        except AlreadyThere:
            found = client.get(NAMESPACE, name)
            if found is None or text(found, "status", "phase") == "Terminating":
                raise TransientError(f"Namespace {name} is being deleted") from None

    def put_secret(self, secret: BootstrapSecret) -> None:
        """Server-side apply of what the references resolve to; keys of others in the Secret stay."""
        values = data_of(secret, self._house, self._secrets)
        data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        labels = labels_of(secret, self._house)
        metadata = {"name": secret.name, "namespace": secret.namespace, "labels": labels}
        self._clients.main().apply(
            SECRET, {"metadata": metadata, "type": secret.type, "data": data}, secret.namespace, force=True
        )

    def apply_crd(self, crd: Crd) -> None:
        """Server-side apply without force: FieldConflict, and nothing changed, where another manager holds other values."""
        self._clients.main().apply(CRD, noted(crd))

    def forget_node(self, name: str, uid: str) -> None:
        """Delete the Node object, only if it still is that one; nothing when it is not there."""
        self._clients.main().delete(NODE, name, uid=uid)

    def rest(self, workload: Workload) -> None:
        """Stop it and note how it was. PermanentError for what nothing would make go on again."""
        rest(self._clients.main(), workload)

    def wake(self, workload: Workload) -> None:
        """Let it be as it was when `rest` noted it."""
        wake(self._clients.main(), workload)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """See ports.Cluster."""
        return self._lease.take(holder, seconds, over)

    def drop_lease(self, holder: str) -> None:
        """Give the Lease back when this holder has it."""
        self._lease.drop(holder)


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value or ""), validate=True)
    except binascii.Error:
        return b""


def _look_at(server: tuple[str, ApiClient]) -> ApiServer:
    address, client = server
    what = f"ask the API server at {address}"
    try:
        ready = client.ask("GET", "/readyz", what, timeout_s=_LOOK_S)
        version = client.ask("GET", "/version", what, timeout_s=_LOOK_S)
    except (TransientError, PermanentError) as error:
        return ApiServer(
            address, answers=False, ready=False, version="", detail="; ".join(error.evidence) or error.what
        )
    try:
        told = read(version.body, an_object) if version.code == 200 else {}
    except Malformed:
        told = {}
    detail = "" if ready.code == 200 else f"readyz answers {ready.code}: {_unready(ready.body)}"
    return ApiServer(address, answers=True, ready=ready.code == 200, version=text(told, "gitVersion"), detail=detail)


def _unready(body: bytes) -> str:
    """The lines of readyz that say what is missing."""
    lines = [line for line in body.decode("utf-8", "replace").splitlines() if line.startswith("[-]")]
    return "; ".join(lines) or body[:120].decode("utf-8", "replace")


def _seen_claim(obj: Obj) -> SeenClaim:
    labels, notes = table(obj, "metadata", "labels"), table(obj, "metadata", "annotations")
    release = notes.get("meta.helm.sh/release-name")
    if not release and labels.get("app.kubernetes.io/managed-by") == "Helm":
        release = labels.get("app.kubernetes.io/instance")
    return SeenClaim(
        namespace=namespace_of(obj),
        name=name_of(obj),
        size=text(obj, "spec", "resources", "requests", "storage"),
        storage_class=text(obj, "spec", "storageClassName"),
        database=str(labels.get("cnpg.io/cluster") or ""),
        release=str(release or ""),
        passing=of_volsync(obj),
    )


def storage_class(obj: Obj) -> StorageClass:
    """As the API has it."""
    parameters = tuple(sorted((name, str(value)) for name, value in table(obj, "parameters").items()))
    default = table(obj, "metadata", "annotations").get("storageclass.kubernetes.io/is-default-class") == "true"
    return StorageClass(name_of(obj), text(obj, "provisioner"), parameters, default=default)


def _node(obj: Obj) -> KubeNode:
    ready = condition(obj, "Ready")
    addresses = {text(a, "type"): text(a, "address") for a in rows(obj, "status", "addresses")}
    said = {"True": True, "False": False}.get(text(ready, "status"))
    reason = "" if said else ": ".join(part for part in (text(ready, "reason"), text(ready, "message")) if part)
    return KubeNode(
        name=name_of(obj),
        address=addresses.get("InternalIP", ""),
        ready=said,
        control_plane=dig(obj, "metadata", "labels", "node-role.kubernetes.io/control-plane") is not None,
        version=text(obj, "status", "nodeInfo", "kubeletVersion"),
        reason=reason,
        uid=text(obj, "metadata", "uid"),
    )
