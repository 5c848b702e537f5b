"""The modelled cluster: what etcd holds, and when API servers answer. Lives and dies with the etcd of the Talos machines."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

from adapters.csi.results import CsiLook
from adapters.drills.results import Scheduled
from adapters.flux.results import KustomizationState
from adapters.helm.results import ReleaseState
from adapters.hold.results import ARCHIVES_UNRECOVERED, AcceptedDatabase, HeldClaim, HoldState, PinnedDatabase
from adapters.kubernetes.results import CrdState, KubeNode, LeaseHolder, SeenPod, StorageClass
from adapters.longhorn.results import LonghornLook
from adapters.trials.results import Trial, Tried
from engine.errors import TransientError
from house.declared.kinds import Kind
from house.model import House
from house.repository.backups.mover_policies import BINDING
from house.repository.backups.mover_policies import KIND as POLICY
from house.values.databases import Database
from lab.world.cluster.components import Object
from lab.world.cluster.databases import LabDatabase
from lab.world.cluster.drills import LabDrill, Rigged
from lab.world.cluster.rook import LabRook
from lab.world.cluster.volumes import Claim, Destination, LabKept, Outlived, Source
from lab.world.machines.etcd import EtcdCluster
from lab.world.machines.machine import Machine
from lab.world.machines.talos import TalosWorld
from lab.world.store import Store
from lab.world.world import World

LAB_CLASS = StorageClass("lab", "lab.blackstart.invalid", default=True)


@dataclass
class Objects:
    """What one etcd holds. `policies_bite_at` is the monotonic time from which the API servers refuse (None: no policies)."""

    namespaces: set[str] = field(default_factory=lambda: {"default", "kube-system"})
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    crds: dict[str, CrdState] = field(default_factory=dict)
    lease: LeaseHolder | None = None
    drill: LabDrill | None = None
    scheduled: dict[tuple[str, str], Scheduled] = field(default_factory=dict)
    drill_lease: LeaseHolder | None = None
    rigged: Rigged = field(default_factory=Rigged)
    renewals: int = 0
    runs: set[str] = field(default_factory=set)
    releases: dict[tuple[str, str], ReleaseState] = field(default_factory=dict)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)
    record: dict[tuple[str, str], HeldClaim] | None = None
    rebuilt: bool = False  # of the record too
    written: int = 0  # how often the record was written with nothing new in it
    databases: dict[tuple[str, str], AcceptedDatabase] = field(default_factory=dict)  # of the record too
    databases_made: set[tuple[str, str]] = field(default_factory=set)
    pinned: dict[tuple[str, str], PinnedDatabase] = field(default_factory=dict)  # of the record too
    clusters: dict[tuple[str, str], LabDatabase] = field(default_factory=dict)
    policies_bite_at: float | None = None
    flux_running: bool = False
    flux_commit: str = ""
    source_suspended: bool = False
    kustomizations: dict[str, KustomizationState] = field(default_factory=dict)
    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    destinations: dict[tuple[str, str], Destination] = field(default_factory=dict)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    storage_classes: dict[str, StorageClass] = field(default_factory=lambda: {LAB_CLASS.name: LAB_CLASS})
    rook: list[LabRook] = field(default_factory=list)
    longhorn: LonghornLook | None = None
    csi: CsiLook = field(default_factory=CsiLook)
    components: list[Object] = field(default_factory=list)  # of systems that are not modelled otherwise, as the API has them
    components_lost: list[Object] = field(default_factory=list)  # applied once, and not there
    component_groups: set[str] = field(default_factory=set)  # API groups that are served, whether or not there is an object
    age_keys: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # public halves, where not the house's own
    kept: dict[str, LabKept] = field(default_factory=dict)  # by the volume's name
    trials: dict[tuple[Tried, str], Trial] = field(default_factory=dict)
    trials_left: set[str] = field(default_factory=set)  # classes of which a trial's objects are there
    snapshot_drivers: set[str] = field(default_factory=lambda: {LAB_CLASS.provisioner})
    snapshot_classes: set[str] = field(default_factory=lambda: {"lab-snapshot"})  # by name
    snapshots_lie: set[str] = field(default_factory=set)  # classes whose snapshots hold something else
    writes_hang: set[str] = field(default_factory=set)  # classes on which no write ends
    forbidden: dict[str, str] = field(default_factory=dict)  # method of the port → the right that its caller lacks, as the API says
    resting: set[tuple[str, str]] = field(default_factory=set)  # claims whose application we stopped
    pods: dict[str, SeenPod] = field(default_factory=dict)  # that have not ended and are no part of what else is modelled, by name
    tls: dict[tuple[str, str], float] = field(default_factory=dict)  # Secrets that cert-manager made, and when they end
    certificates: set[tuple[str, str]] = field(default_factory=set)  # Certificates: from then on cert-manager orders
    nodes: dict[str, KubeNode] = field(default_factory=dict)  # Node objects, as their kubelets last said
    registered: int = 0  # how many Node objects were ever made


@dataclass(frozen=True)
class Judged:
    """The record as one API server knows it."""

    record: dict[tuple[str, str], HeldClaim] | None
    databases: dict[tuple[str, str], AcceptedDatabase]
    rebuilt: bool
    written: int

    @classmethod
    def now(cls, objects: Objects) -> Judged:
        """As it is now."""
        return cls(copy.copy(objects.record), dict(objects.databases), objects.rebuilt, objects.written)


@dataclass(frozen=True)
class KubeDelays:
    """Seconds of the World's clock, as measured with the real programs."""

    api_s: float = 4.0
    policy_s: float = 1.0
    establish_s: float = 0.5
    release_s: float = 4.0
    fetch_s: float = 1.0
    kustomization_s: float = 5.0
    restore_s: float = 4.0
    backup_s: float = 4.0
    bind_s: float = 1.0
    start_s: float = 1.0


class KubeWorld:
    """The cluster on top of the Talos machines. `git_commit` is where the branch that Flux pulls stands.

    `api_down` holds addresses whose API server does not run although its etcd does; `secrets_say` is where Secrets of movers
    (namespace, name) point to in the cluster, where that is not what Git shows. `serves` are some of Kubernetes' own kinds.
    `outlived` is what storages outside of any cluster have, by handle. `blind` are API servers that have lost their watch of the
    hold's record with its last policy, by address, and what they judge by until they are started again.
    """

    def __init__(
        self, world: World, talos: TalosWorld, house: House, store: Store, delays: KubeDelays | None = None
    ) -> None:
        self.world = world
        self.talos = talos
        self.house = house
        self.store = store
        self.delays = delays or KubeDelays()
        self.git_commit = "c0ffee0000000000000000000000000000000001"
        self.api_down: set[str] = set()
        self.blind: dict[str, Judged] = {}
        self.secrets_say: dict[tuple[str, str], str] = {}
        self.serves = {Kind("admissionregistration.k8s.io/v1", name) for name in (POLICY, BINDING)}
        self.outlived: dict[str, Outlived] = {}
        self._objects: dict[int, Objects] = {}
        self._first_healthy: dict[str, float] = {}

    def objects(self) -> Objects:
        """What the cluster holds; TransientError when no API server answers."""
        for machine in self.talos.machines.values():
            if self.api_ready(machine):
                directory = machine.etcd_dir
                assert directory is not None
                assert directory.cluster is not None
                return self.of(directory.cluster)
        raise TransientError(f"no API server answers at {self.house.cluster.endpoint}", hint="a control plane may be booting")

    def address_of(self, namespace: str, secret: str) -> str:
        """Where a mover that is given this Secret goes, "" where the cluster has no such Secret."""
        if (namespace, secret) in self.secrets_say:
            return self.secrets_say[namespace, secret]
        known = (*self.house.claims, *self.house.held_kopia)
        places = (place for claim in known if claim.namespace == namespace for place in claim.sources)
        return next((place.mover_repository for place in places if place.repository_secret == secret), "")

    def alive(self, objects: Objects) -> bool:
        """Whether controllers of this cluster could still be running: nothing of a cluster that is gone may act."""
        try:
            return self.objects() is objects
        except TransientError:
            return False

    def of(self, cluster: EtcdCluster) -> Objects:
        """What this etcd holds."""
        return self._objects.setdefault(cluster.cluster_id, Objects())

    def captured(self, cluster: EtcdCluster) -> Objects:
        """A copy of what this etcd holds, for a snapshot."""
        return copy.deepcopy(self.of(cluster))

    def put_back(self, cluster: EtcdCluster, objects: Objects) -> None:
        """A new etcd holds what a snapshot holds; on the volumes is what was written last, for etcd never had that."""
        there = {claim.bound_to: claim.entries for one in self._objects.values() for claim in one.claims.values() if claim.bound}
        made = self._objects[cluster.cluster_id] = copy.deepcopy(objects)
        for claim in made.claims.values():
            claim.entries = there.get(claim.bound_to, claim.entries)

    def api_ready(self, machine: Machine) -> bool:
        """Whether this machine's API server is ready: some seconds after its etcd member became healthy."""
        up = machine.powered and machine.control_plane and machine.config and machine.address not in self.api_down
        if not (up and self.talos.etcd.healthy(machine)):
            self._first_healthy.pop(machine.mac, None)
            self.blind.pop(machine.address, None)
            return False
        since = self._first_healthy.setdefault(machine.mac, self.world.clock.monotonic())
        return self.world.clock.monotonic() >= since + self.delays.api_s

    # The hold, as the admission policies decide (docs/lab.md tells what this leaves out).

    def goes_blind(self, address: str) -> None:
        """Somebody deletes all policies, and puts them back: this API server judges by the record of now from here on."""
        self.blind[address] = Judged.now(self.objects())

    def judges_by_now(self, machine: Machine) -> bool:
        """Whether this machine's API server judges by the record as it is."""
        return machine.address not in self.blind or self.blind[machine.address] == Judged.now(self.objects())

    def _judged(self, objects: Objects, at: Machine | None = None) -> Objects:
        """As what a mover makes is judged `at` a machine's API server; else by a blind one where there is any, for nobody chooses
        which of them is asked."""
        blind = next(iter(self.blind.values()), None) if at is None else self.blind.get(at.address)
        if blind is None:
            return objects
        return replace(objects, record=blind.record, databases=blind.databases, rebuilt=blind.rebuilt)

    def admits_restore(self, objects: Objects, destination: Destination) -> str:
        """Why a destination's Job is refused, "" when it is admitted."""
        objects = self._judged(objects)
        if not self._biting(objects):
            return ""
        if objects.record is None:
            return "no params found for policy binding with `Deny` parameterNotFoundAction"
        of_it = [c for c in objects.record.values() if (c.namespace, c.destination) == destination.key]
        held = next((c for c in of_it if _holds(c)), None)
        if held is not None and not (held.pin and destination.restore_as_of == held.pin):
            return f"blackstart holds {held.key}: the destination does not carry its pin; lift it with: invoke dr.restore"
        mounted = objects.record.get((destination.namespace, destination.mounts))
        if mounted is not None and _holds(mounted):
            return f"blackstart holds {mounted.key}: this restore would write into it; lift it with: invoke dr.restore"
        return "" if of_it else self._stranger(objects, destination.key)

    def admits_population(self, objects: Objects, claim: Claim, image: str) -> str:
        """Why filling a claim from an image is refused, "" when it is admitted."""
        objects = self._judged(objects)
        if not self._biting(objects):
            return ""
        if objects.record is None:
            return "no params found for policy binding with `Deny` parameterNotFoundAction"
        held = objects.record.get(claim.key)
        if held is None or not _holds(held) or (held.state is HoldState.PROVEN and held.image == image):
            return ""
        return f"blackstart holds {held.key}: image {image} is not the proven one; lift it with: invoke dr.restore"

    def admits_backup(self, objects: Objects, source: Source, at: Machine | None = None) -> str:
        """Why a source's copy is refused, "" when it is admitted; by the API server `at` a machine, or by whichever is asked."""
        objects = self._judged(objects, at)
        if not self._biting(objects):
            return ""
        if objects.record is None:
            return "no params found for policy binding with `Deny` parameterNotFoundAction"
        held = objects.record.get((source.namespace, source.claim))
        if held is not None and _holds(held):
            return f"blackstart holds {held.key}: no backup is written; lift it with: invoke dr.restore"
        known = any((c.namespace, c.source) == source.key for c in objects.record.values())
        return "" if known else self._stranger(objects, source.key)

    def _stranger(self, objects: Objects, key: tuple[str, str]) -> str:
        """Why the mover of a source or destination that the record does not know is refused, "" when it is admitted."""
        name, let_go = "/".join(key), "let it go as it is: invoke dr.release {} --unproven --reason TEXT"
        if objects.rebuilt and holds_any(objects):
            return f"nobody declared {name}: name it in Git and run invoke cluster.bootstrap, or {let_go.format(name)}"
        if any(c.namespace == key[0] and _holds(c) for c in (objects.record or {}).values()):
            return f"blackstart holds a claim in {key[0]}, and {name} is not in its record; {let_go.format(name)}"
        return ""

    def admits_database(self, objects: Objects, database: Database) -> str:
        """Why a CloudNativePG cluster is refused when it is made, "" when it is admitted."""
        key = (database.namespace, database.name)
        objects = self._judged(objects)
        if not self._biting(objects) or key in objects.databases_made:
            return ""
        if objects.record is None:
            return "no params found for policy binding with `Deny` parameterNotFoundAction"
        if not database.held or key in objects.databases:
            return ""
        return f"database {database.key}{ARCHIVES_UNRECOVERED}; lift it with: invoke dr.release {database.key}"

    def _biting(self, objects: Objects) -> bool:
        return objects.policies_bite_at is not None and self.world.clock.monotonic() >= objects.policies_bite_at


def holds_any(objects: Objects) -> bool:
    """Whether any claim is held."""
    return any(_holds(claim) for claim in (objects.record or {}).values())


def _holds(claim: HeldClaim) -> bool:
    return claim.state in (HoldState.HELD, HoldState.PROVEN)
