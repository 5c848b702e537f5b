"""The cluster port, in process, on the modelled cluster. Knows no Kubernetes client."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from adapters.ceph.results import RookCluster
from adapters.helm.results import Crd
from adapters.kubernetes.errors import from_answer
from adapters.kubernetes.results import ApiServer, CrdState, KubeNode, LeaseHolder, SeenClaim, StorageClass, Workload
from adapters.longhorn.results import LonghornLook
from engine.errors import PermanentError, TransientError
from engine.text.digest import digest
from house.declared.kinds import Kind
from house.model import BootstrapSecret
from lab.ports.kubernetes.definitions import kinds_served
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.volsync import VolSync
from lab.world.machines.machine import Machine

CNI_RELEASES = ("cilium", "flannel")


class ModelledCluster:
    """Cluster port (ports.Cluster)."""

    def __init__(self, kube: KubeWorld, volsync: VolSync) -> None:
        self._kube = kube
        self._volsync = volsync
        self._world = kube.world

    def api_servers(self) -> tuple[ApiServer, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            return tuple(self._api_server(node.address) for node in self._kube.house.control_planes)

    def nodes(self) -> tuple[KubeNode, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            objects = self._kube.objects()
            cni = any(name in CNI_RELEASES and state.revision for (_, name), state in objects.releases.items())
            alive = {m.name: m for m in self._machines() if m.service_state("kubelet") == "Running"}
            for machine in alive.values():
                self._register(objects, machine, cni=cni)
            dark = "NodeStatusUnknown: Kubelet stopped posting node status."
            return tuple(
                node if node.name in alive else replace(node, ready=None, reason=dark)
                for node in sorted(objects.nodes.values(), key=lambda node: node.name)
            )

    def _register(self, objects: Objects, machine: Machine, *, cni: bool) -> None:
        """What the machine's kubelet does by itself; done when somebody looks, which nobody can tell from its having been done."""
        there = objects.nodes.get(machine.name)
        objects.registered += there is None
        uid = there.uid if there is not None else f"node-{objects.registered}"
        version, why = self._kube.house.cluster.kubernetes_version, "" if cni else "cni plugin not initialized"
        objects.nodes[machine.name] = KubeNode(machine.name, machine.address, cni, machine.control_plane, version, why, uid)

    def namespaces(self) -> tuple[str, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            return tuple(sorted(self._kube.objects().namespaces))

    def secret_matches(self, secret: BootstrapSecret) -> bool | None:
        """See ports.ClusterView."""
        with self._world.looking():
            held = self._kube.objects().secrets.get((secret.namespace, secret.name))
            return None if held is None else held == digest(secret.keys)

    def crds(self, names: Sequence[str]) -> tuple[CrdState, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            there = self._kube.objects().crds
            return tuple(there[name] for name in names if name in there)

    def served(self) -> frozenset[Kind]:
        """See ports.ClusterView."""
        with self._world.looking():
            there = self._kube.objects().crds.values()
            defined = (kind for one in there if one.established for kind in kinds_served(one.name, one.served))
            return frozenset((*self._kube.serves, *defined))

    def claims(self) -> tuple[SeenClaim, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            there = sorted(self._kube.objects().claims.items())
            return tuple(SeenClaim(*key, "1Gi", claim.storage_class) for key, claim in there)

    def storage_classes(self) -> tuple[StorageClass, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            there = self._kube.objects().storage_classes
            return tuple(there[name] for name in sorted(there))

    def ceph_clusters(self) -> tuple[RookCluster, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            return tuple(one.seen(self._world.clock.now()) for one in self._allowed("ceph_clusters").rook)

    def longhorn(self, what: Collection[str]) -> LonghornLook:
        """See ports.ClusterView."""
        with self._world.looking():
            found = self._allowed("longhorn").longhorn
            return LonghornLook(served=False) if found is None else found.of(what)

    def lease(self) -> LeaseHolder | None:
        """See ports.ClusterView."""
        with self._world.looking():
            return self._allowed("lease").lease

    def workloads(self, namespace: str, claim: str) -> tuple[Workload, ...]:
        """See ports.ClusterView."""
        with self._world.looking():
            objects, key = self._kube.objects(), (namespace, claim)
            state = objects.claims.get(key)
            if key in objects.resting:
                return (Workload("Deployment", namespace, claim, 0, 0, resting=1),)
            return (Workload("Deployment", namespace, claim, 1, int(state.app_ready)),) if state else ()

    def create_namespace(self, name: str) -> None:
        """See ports.Cluster."""
        with self._world.looking():
            self._kube.objects().namespaces.add(name)

    def put_secret(self, secret: BootstrapSecret) -> None:
        """See ports.Cluster. Nothing is resolved here: the references stand for their values."""
        with self._world.looking():
            self._kube.objects().secrets[(secret.namespace, secret.name)] = digest(secret.keys)

    def apply_crd(self, crd: Crd) -> None:
        """See ports.Cluster. It is established a moment later, as the API server makes room for its objects."""
        with self._world.looking():
            objects = self._kube.objects()
            there = objects.crds.get(crd.name)
            if there is not None and there.keepers and there.served != crd.served:
                raise PermanentError(f"apply CustomResourceDefinition {crd.name}: another field manager owns what we would set")
            keepers = there.keepers if there is not None else ()
            applied = CrdState(crd.name, False, crd.served, keepers, crd.chart, crd.digest, detail="Installing")
            objects.crds[crd.name] = applied
            self._world.happened("kubernetes", f"definition {crd.name} applied")
            self._world.after(self._kube.delays.establish_s, f"establish {crd.name}", lambda: self._establish(objects, applied))

    def forget_node(self, name: str, uid: str) -> None:
        """See ports.Cluster."""
        with self._world.looking():
            there = self._kube.objects().nodes
            if name in there and there[name].uid != uid:
                raise TransientError(f"delete Node {name}: the UID in the precondition is not the object's")
            if there.pop(name, None) is not None:
                self._world.happened("kubernetes", f"Node {name} deleted")

    def _establish(self, objects: Objects, applied: CrdState) -> None:
        if objects.crds.get(applied.name) is applied:
            objects.crds[applied.name] = replace(applied, established=True, detail="")

    def rest(self, workload: Workload) -> None:
        """See ports.Cluster."""
        with self._world.looking():
            objects, key = self._kube.objects(), (workload.namespace, workload.name)
            objects.resting.add(key)
            self._volsync.stop_app(objects, key)

    def wake(self, workload: Workload) -> None:
        """See ports.Cluster."""
        with self._world.looking():
            objects, key = self._kube.objects(), (workload.namespace, workload.name)
            objects.resting.discard(key)
            self._volsync.start_app(objects, key)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """See ports.Cluster."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.lease is None or objects.lease.holder == holder or objects.lease.renewal == over:
                objects.renewals += 1
                held = objects.lease
                since = held.since if held is not None and held.holder == holder else self._world.clock.now()
                objects.lease = LeaseHolder(holder, str(objects.renewals), since)
            return objects.lease

    def drop_lease(self, holder: str) -> None:
        """See ports.Cluster."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.lease is not None and objects.lease.holder == holder:
                objects.lease = None

    def _allowed(self, method: str) -> Objects:
        """What the cluster holds, for who may ask with this method: refused in the API's own words, as the real port does."""
        objects = self._kube.objects()
        if method in objects.forbidden:
            message = f'User "looker" cannot {objects.forbidden[method]} at the cluster scope'
            body = json.dumps({"kind": "Status", "reason": "Forbidden", "message": message}).encode()
            raise from_answer(403, body, f"ask for {method}")
        return objects

    def _api_server(self, address: str) -> ApiServer:
        machine = next((m for m in self._machines() if m.address == address), None)
        ready = machine is not None and self._kube.api_ready(machine)
        detail = "" if ready else "connection refused"
        return ApiServer(address, ready, ready, self._kube.house.cluster.kubernetes_version if ready else "", detail)

    def _machines(self) -> tuple[Machine, ...]:
        return tuple(m for m in self._kube.talos.machines.values() if m.powered and m.config is not None)
