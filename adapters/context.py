"""The two bundles of ports: what a probe may look through, and what an apply may act through. Same field names, other types."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.archives.port import ArchivesView
from adapters.ceph.port import Flags, FlagsView
from adapters.cnpg.port import Databases, DatabasesView
from adapters.components.port import ComponentsView
from adapters.csi.port import CsiView
from adapters.dns.port import DnsView
from adapters.drills.port import Drills, DrillsView
from adapters.etcd.port import Etcd, EtcdView
from adapters.inventory.port import InventoryView
from adapters.kept.port import Kept, KeptView
from adapters.locks.port import Locks, LocksView
from adapters.nas.port import NasView
from adapters.ports import (
    BackupsView,
    CloneView,
    Cluster,
    ClusterView,
    Flux,
    FluxView,
    Hold,
    HoldView,
    ImageFactoryView,
    ManifestsView,
    Proxmox,
    ProxmoxView,
    Releases,
    ReleasesView,
    Talos,
    TalosView,
)
from adapters.registries.port import RegistriesView
from adapters.talos.port import Machineconfigs, MachineconfigsView
from adapters.tls.port import Tls, TlsView
from adapters.trials.port import Trials, TrialsView
from adapters.vault.port import VaultView
from adapters.versions.port import Versions, VersionsView
from adapters.volsync.port import Claims, ClaimsView
from engine.waiting import Clock


@dataclass(frozen=True)
class LookContext:
    """Read-only ports: what plan, verify and every probe get."""

    clock: Clock
    proxmox: ProxmoxView
    talos: TalosView
    machineconfigs: MachineconfigsView
    cluster: ClusterView
    releases: ReleasesView
    flux: FluxView
    claims: ClaimsView
    hold: HoldView
    backups: BackupsView
    clone: CloneView
    factory: ImageFactoryView
    manifests: ManifestsView
    archives: ArchivesView
    nas: NasView
    drills: DrillsView
    trials: TrialsView
    csi: CsiView
    components: ComponentsView
    etcd: EtcdView
    databases: DatabasesView
    kept: KeptView
    locks: LocksView
    inventory: InventoryView
    versions: VersionsView
    dns: DnsView
    tls: TlsView
    vault: VaultView
    flags: FlagsView
    registries: RegistriesView


@dataclass(frozen=True)
class ActContext:
    """Full ports: what an apply gets. `run` is the id of this run, chosen before anything was changed."""

    run: str
    clock: Clock
    proxmox: Proxmox
    talos: Talos
    machineconfigs: Machineconfigs
    cluster: Cluster
    releases: Releases
    flux: Flux
    claims: Claims
    hold: Hold
    backups: BackupsView
    clone: CloneView
    factory: ImageFactoryView
    manifests: ManifestsView
    archives: ArchivesView
    nas: NasView
    drills: Drills
    trials: Trials
    csi: CsiView
    components: ComponentsView
    etcd: Etcd
    databases: Databases
    kept: Kept
    locks: Locks
    inventory: InventoryView
    versions: Versions
    dns: DnsView
    tls: Tls
    vault: VaultView
    flags: Flags
    registries: RegistriesView
