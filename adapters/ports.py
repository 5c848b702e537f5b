"""Every way this tool can look at a house or change it, on one page: signatures only.

A `…View` reads; the port of the same name without View adds the writes. A probe gets views, an apply gets ports
(adapters/context.py). Every method may raise engine.errors.TransientError (look again) or PermanentError (the answer is no).
What rehearsals, trials of storage, databases and VolSync may do is on pages of their own: adapters/drills/port.py,
adapters/trials/port.py, adapters/cnpg/port.py, adapters/volsync/port.py; databases' archives, Ceph's flags, kept volumes, locks,
versions, inventory, DNS, TLS Secrets, the vault and machineconfigs each in port.py of their own folder.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from adapters.backups.results import (
    WHOLE,
    Changes,
    Depth,
    Examination,
    Fetched,
    FoundPath,
    Hashes,
    Part,
    Repository,
    RepositoryLook,
)
from adapters.ceph.results import HostedCeph, RookCluster
from adapters.flux.results import FluxState
from adapters.git.results import CloneState
from adapters.helm.results import Crd, ReleaseKinds, ReleaseState
from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldRecord, PinnedDatabase, Refusal
from adapters.kubernetes.results import ApiServer, CrdState, KubeNode, LeaseHolder, SeenClaim, StorageClass, Workload
from adapters.longhorn.results import LonghornLook
from adapters.proxmox.results import (
    HostStatus,
    ProxmoxCluster,
    Reservation,
    RunningTask,
    Storage,
    StoredImage,
    TaskRef,
    TaskStatus,
    Vm,
    VmBackups,
    VmSpec,
)
from adapters.talos.results import Disk, EtcdState, MachineState, Phase
from adapters.volsync.results import Listing
from house.declared.kinds import Kind
from house.model import BootstrapSecret, CrdSource


class ProxmoxView(Protocol):
    """The Proxmox cluster, through the first endpoint that answers."""

    def cluster(self) -> ProxmoxCluster: ...
    def missing_privileges(self, wanted: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """Of (path, privilege) pairs, those the token lacks, as `path: privilege`; at results.EVERY those that do not go down."""
    def hosts(self) -> tuple[HostStatus, ...]: ...
    def storages(self, host: str) -> tuple[Storage, ...]: ...
    def vms(self) -> tuple[Vm, ...]:
        """Every VM of the cluster with its configuration, ordered by id; also who else has an id of theirs (containers)."""

    def images(self, host: str, storage: str) -> tuple[StoredImage, ...]: ...
    def left_disks(self, host: str, storage: str, vm_id: int) -> tuple[StoredImage, ...]:
        """Disks on a storage that bear this VM's id, whether the VM exists or not."""
    def backups(self, vm_id: int) -> VmBackups:
        """Its backups by vzdump or on a Proxmox Backup Server, on every storage of the hosts that are online."""

    def running_tasks(self) -> tuple[RunningTask, ...]: ...
    def ceph(self) -> HostedCeph | None:
        """What the Ceph of the hosts says of itself; None where none of those that are online has one."""

    def task(self, ref: TaskRef) -> TaskStatus: ...
    def reservation(self) -> Reservation | None:
        """Who has reserved this house's hosts, None for nobody. MayNotReserve when the token may not see it."""


class Proxmox(ProxmoxView, Protocol):
    """Adds what changes a VM or a storage; everything long returns the task that does it."""

    def download_image(self, host: str, storage: str, filename: str, url: str, sha256: str) -> TaskRef: ...
    def create_vm(self, spec: VmSpec) -> TaskRef:
        """Make the VM, stopped. A disk made by import has its image's size until grow_disk was called."""

    def grow_disk(self, host: str, vm_id: int, slot: str, size: int) -> TaskRef:
        """Grow one disk to `size` bytes; the same size is no change, a smaller one fails the task."""

    def start_vm(self, host: str, vm_id: int) -> TaskRef: ...
    def shut_down_vm(self, host: str, vm_id: int) -> TaskRef:
        """Have its guest end and go off. The task fails where that takes longer than results.VM_GOES_OFF_S: no power is cut."""

    def shut_down_host(self, host: str) -> None:
        """Have a host go off, which ends its guests first, by force who does not follow. Answers once it was asked."""

    def wake_host(self, host: str) -> None:
        """Have a host that is on wake this one over the network; nothing tells whether it has heard. PermanentError where nobody
        told Proxmox its MAC."""

    def destroy_vm(self, host: str, vm_id: int) -> TaskRef:
        """Remove a VM that is off, with the disks of its configuration: what is on them is lost. One that runs is refused."""
    def reserve(self) -> None:
        """Reserve the house's hosts for this run, which succeeds once: whose it is now, `reservation` says. MayNotReserve."""

    def unreserve(self, owner: str) -> None:
        """Take the reservation away, if it still is `owner`'s (in its words)."""


class TalosView(Protocol):
    """The Talos API of one machine, asked at its own address."""

    def client_version(self) -> str:
        """The version of what asks, as in `v1.13.9`; no machine is asked."""

    def phase(self, address: str) -> Phase: ...
    def phases(self, addresses: Sequence[str]) -> tuple[Phase, ...]:
        """That of each, in their order, asked side by side: silent ones keep nobody waiting in turn."""

    def machine(self, address: str) -> MachineState: ...
    def hostname(self, address: str) -> str:
        """What the machine calls itself, "" for nothing."""

    def version(self, address: str) -> str:
        """The Talos that this configured node runs, as in `v1.13.9`."""

    def disks(self, address: str) -> tuple[Disk, ...]: ...
    def applied_digest(self, address: str) -> str:
        """Digest of the machineconfig the node runs, comparable with MachineconfigsView.digest."""

    def etcd(self, address: str) -> EtcdState: ...
    def etcds(self, addresses: Sequence[str]) -> tuple[EtcdState, ...]:
        """What each tells, in their order, asked side by side."""

    def clock(self, address: str) -> float: ...
    def machines(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, MachineState]:
        """Of these configured nodes, what those tell that answer, all asked together by way of the control planes `through`.

        Who is not in the answer is to be asked by itself, at its own address: only that tells why. So for the three below.
        """

    def versions(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]: ...
    def applied_digests(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]: ...
    def clocks(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, float]: ...


class Talos(TalosView, Protocol):
    """Adds what changes a machine."""

    def apply_config(self, address: str, node: str, *, maintenance: bool) -> None: ...
    def bootstrap_etcd(self, address: str) -> None: ...
    def fetch_kubeconfig(self, address: str) -> None:
        """Write the admin kubeconfig, 0600, to the house's state folder."""
    def shut_down(self, address: str) -> None:
        """Have the node end its pods and go off; answers once it was asked. No pod is sent elsewhere first."""
    def remove_member(self, address: str, member_id: str) -> None:
        """Have the etcd at `address` take this member (id in hex) off the list. PermanentError where it is not on it."""


class ClusterView(Protocol):
    """The Kubernetes cluster itself."""

    def api_servers(self) -> tuple[ApiServer, ...]:
        """Every control plane's API server, each asked at its own address."""

    def nodes(self) -> tuple[KubeNode, ...]: ...
    def namespaces(self) -> tuple[str, ...]: ...
    def secret_matches(self, secret: BootstrapSecret) -> bool | None:
        """Whether the Secret holds what its references resolve to; None when it is absent."""

    def crds(self, names: Sequence[str]) -> tuple[CrdState, ...]:
        """Of these custom resource definitions, those that the API has."""

    def served(self) -> frozenset[Kind]:
        """Every kind that the API serves now, but for the core group's."""

    def claims(self) -> tuple[SeenClaim, ...]:
        """Every claim of the cluster, by namespace and name."""

    def storage_classes(self) -> tuple[StorageClass, ...]: ...
    def ceph_clusters(self) -> tuple[RookCluster, ...]:
        """What Rook's operator wrote down of each Ceph that it runs or knows."""

    def longhorn(self, what: Collection[str]) -> LonghornLook:
        """What Longhorn's objects say: its nodes and these fields of the look, the others left empty."""

    def lease(self) -> LeaseHolder | None: ...
    def workloads(self, namespace: str, claim: str) -> tuple[Workload, ...]: ...


class Cluster(ClusterView, Protocol):
    def create_namespace(self, name: str) -> None: ...
    def put_secret(self, secret: BootstrapSecret) -> None: ...
    def apply_crd(self, crd: Crd) -> None:
        """Server-side apply with our own field manager, chart and digest noted on it; refused where another manager differs."""

    def forget_node(self, name: str, uid: str) -> None:
        """Delete the Node object with a uid precondition; what waits for its pods and volumes goes on elsewhere then."""
    def rest(self, workload: Workload) -> None:
        """Stop it, and note on it how it was. PermanentError, and not stopped, for what nothing would start again."""

    def wake(self, workload: Workload) -> None:
        """Let it be as it was before `rest`."""

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """Take or renew; answers who holds it now, which may be somebody else.

        Somebody else's is taken only when its `renewal` still is `over`: one that was watched for `seconds` and did not change.
        """

    def drop_lease(self, holder: str) -> None: ...


class ReleasesView(Protocol):
    """Helm releases of the house's helmfile."""

    def releases(self) -> tuple[ReleaseState, ...]: ...
    def desired_digest(self, namespace: str, name: str) -> str:
        """Digest over chart, version and values of one release of the helmfile."""

    def deployed_digest(self, namespace: str, name: str) -> str:
        """The `desired_digest` we noted in the cluster when we last synced this release, "" for none."""

    def chart_problem(self, namespace: str, name: str) -> str:
        """Why the release's chart cannot be fetched, "" when it can. TransientError where its server could not be asked."""

    def hook_problem(self, namespace: str, name: str) -> str:
        """Which program that a hook of this release's sync runs is not on this machine, in words; "" where each is."""

    def plugins(self) -> frozenset[str]:
        """The plugins that helm finds where a run starts it, by name: in the folder that HELM_PLUGINS of the settings names."""

    def crds_of(self, namespace: str, name: str) -> tuple[Crd, ...]:
        """What this chart of the CRD helmfile brings, as helm renders it; PermanentError when it cannot be, or brings none."""

    def kinds_of(self, namespace: str, name: str, served: Collection[Kind]) -> ReleaseKinds:
        """The kinds that this release asks for and brings, where `served` is served besides Kubernetes' own. PermanentError when
        it cannot be rendered there."""

    def open_runs(self) -> tuple[str, ...]:
        """Ids of runs whose token has not been taken away: each may still hold a release."""


class Releases(ReleasesView, Protocol):
    def sync(self, namespace: str, name: str, run: str) -> None:
        """helmfile sync of exactly this release with a token bound to `run`; returns when helm has ended."""

    def fence(self, run: str) -> None:
        """Delete the run's token Secret and wait until the API server answers it with 401."""

    def drop_pending(self, state: ReleaseState) -> None:
        """Delete the pending record, only if it is still the one in `state.record`."""


class FluxView(Protocol):
    def state(self) -> FluxState: ...


class Flux(FluxView, Protocol):
    def request(self, kind: str, namespace: str, name: str, *, reset: bool = False) -> None:
        """Annotate a source, Kustomization or HelmRelease with requestedAt (and resetAt)."""

    def suspend(self, namespace: str, name: str, *, on: bool) -> None:
        """Suspend a Kustomization under our mark, or resume one that carries it. What somebody else suspended stays as it is."""


class HoldView(Protocol):
    def record(self) -> HoldRecord: ...
    def policies_missing(self) -> tuple[str, ...]:
        """Names of policies or bindings that are absent or differ from ours."""

    def refusals(self, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """Dry-run of Jobs, a claim and a VolumeSnapshot that the hold must refuse, on every API server but the `silent` ones.

        Each says whether it was judged by the record as it is now. May take seconds where one judges by another.
        `silent` are addresses that are known to be off; any other that cannot be asked is a TransientError.
        """

    def backup_tried(self, namespace: str, claim: str, source: str, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """The same with a backup of this claim by this source, whatever the record says of it: one answer for each API server."""


class Hold(HoldView, Protocol):
    def install(self, *, rebuilt: bool) -> None:
        """Make namespace, policies and bindings; an existing policy that differs is replaced. Writes the record anew in any case,
        so that `refusals` says from then on who follows it.

        `rebuilt`: where none was there yet and a claim is held, movers of what nobody declared are refused in every namespace
        until nothing is held any more (the `put` after which nothing is ends it).
        """

    def put(self, claim: HeldClaim) -> None:
        """Write one claim's entry; creates the record. Compare-and-swap on the resource version."""

    def accept(self, database: AcceptedDatabase) -> None:
        """Write that this database may be made empty beside its own archive; as `put` does it."""

    def put_database(self, database: PinnedDatabase) -> None:
        """Write what this database is made again from, and whether that is proven; as `put` does it."""


class BackupsView(Protocol):
    """Backup repositories, from here, read-only (never a lock, never an init)."""

    def look(self, repository: Repository) -> RepositoryLook: ...
    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """One snapshot, looked into as deep as that; `part` of the packs is read at *read*. No program may take `limit_s`."""

    def identity(self, repository: Repository) -> str:
        """The repository's id, "" when it cannot be had."""

    def changes(self, repository: Repository, older: str, newer: str) -> Changes:
        """What the newer of two snapshots has not, or has otherwise."""

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """Every entry with all that is kept of it but content, out of the repository's trees: no data is downloaded."""

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """The contents of every file, read out of the snapshot: downloads all of it."""

    def find(self, repository: Repository, snapshot_ids: Sequence[str], path: str) -> tuple[FoundPath, ...]:
        """What each of these snapshots has at this path ("" for its top), out of the trees that lead there alone."""

    def fetch(self, repository: Repository, snapshot_id: str, path: str, into: Path) -> Fetched:
        """Write what is at this path into the folder `into`, under its own name, and compare it with the snapshot's trees.

        Raises PermanentError where the snapshot has nothing there, or not all of it could be read.
        """


class CloneView(Protocol):
    """The home-ops repository's clone that we run from, and the branch that Flux pulls."""

    def state(self) -> CloneState: ...
    def commit(self) -> str:
        """The commit that is checked out; the branch's server is not asked."""

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """Whether `commit` is `ancestor` or comes after it; None when one is not known here."""


class ImageFactoryView(Protocol):
    """Where the Talos disk image comes from."""

    def image_problem(self, url: str) -> str:
        """Why no image can be had at this URL, "" when one is there."""

    def sha256(self, url: str) -> str:
        """The SHA-256 published for the image at this URL, "" when its factory publishes none."""


class ManifestsView(Protocol):
    """Manifests that the settings name for the bootstrap."""

    def crds_of(self, source: CrdSource) -> tuple[Crd, ...]:
        """The custom resource definitions of this entry, checked; PermanentError when they cannot be had, or are none."""
