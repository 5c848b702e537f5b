"""The whole house behind in-process doors, on any clock: for scenario, crash and property tests, and the modelled demo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters.context import ActContext, LookContext
from adapters.helm.results import ReleaseKinds
from adapters.proxmox.reserving import Party, owner_words, pool_of
from adapters.volsync.results import FileEntry
from engine.waiting import Clock
from house.model import House
from lab.ports.kubernetes.cluster import ModelledCluster
from lab.ports.kubernetes.components import ModelledComponents
from lab.ports.kubernetes.flux import ModelledFlux
from lab.ports.kubernetes.inventory import ModelledInventory
from lab.ports.kubernetes.manifests import ModelledManifests
from lab.ports.kubernetes.releases import ModelledReleases
from lab.ports.kubernetes.tls import ModelledTls
from lab.ports.kubernetes.trials import ModelledTrials
from lab.ports.machines.etcd import ModelledEtcd, Shelf
from lab.ports.machines.machineconfigs import ModelledHouse, ModelledMachineconfigs
from lab.ports.machines.nas import ModelledNas
from lab.ports.machines.proxmox import ModelledProxmox
from lab.ports.machines.talos import ModelledTalos
from lab.ports.outside.clone import ModelledClone
from lab.ports.outside.dns import ModelledDns
from lab.ports.outside.factory import ModelledFactory
from lab.ports.outside.registries import ModelledRegistries
from lab.ports.outside.vault import ModelledVault
from lab.ports.stores.archives import ModelledArchives
from lab.ports.stores.backups import ModelledBackups
from lab.ports.stores.locks import ModelledLocks
from lab.ports.stores.versions import ModelledVersions
from lab.ports.volumes.claims import ModelledClaims
from lab.ports.volumes.csi import ModelledCsi
from lab.ports.volumes.databases import ModelledDatabases
from lab.ports.volumes.drills import ModelledDrills
from lab.ports.volumes.flags import ModelledFlags
from lab.ports.volumes.hold import ModelledHold
from lab.ports.volumes.kept import ModelledKept
from lab.wiring import join, plug_nas
from lab.world.cluster.cnpg import Operator
from lab.world.cluster.flux import FluxWorld
from lab.world.cluster.kubernetes import KubeWorld
from lab.world.cluster.volsync import VolSync
from lab.world.dns import LabDns
from lab.world.machines.talos import TalosWorld
from lab.world.nas import LabNas
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.house import cluster_for, publish_image
from lab.world.pve.vm import LabVm, PowerEvent
from lab.world.registries import LabRegistries
from lab.world.store import Store
from lab.world.world import World


@dataclass
class ModelledHome:
    """One house and everything in it. `look` and `act` are what a process gets. `unfetchable`: why a chart, or an
    entry of the settings, cannot be had. `unhooked`: which program that a release's hook runs is not here. `rendered`: what a
    release asks for and brings, where that is not its chart's usual."""

    house: House
    clock: Clock
    seed: int = 0
    world: World = field(init=False)
    proxmox: LabProxmox = field(init=False)
    talos: TalosWorld = field(init=False)
    store: Store = field(init=False)
    kube: KubeWorld = field(init=False)
    volsync: VolSync = field(init=False)
    operator: Operator = field(init=False)
    flux: FluxWorld = field(init=False)
    files: ModelledHouse = field(init=False)
    nas: dict[str, LabNas] = field(default_factory=dict)
    unfetchable: dict[str, str] = field(default_factory=dict)
    unhooked: dict[str, str] = field(default_factory=dict)
    rendered: dict[str, ReleaseKinds] = field(default_factory=dict)
    snapshots: Shelf = field(default_factory=Shelf)
    dns: LabDns = field(init=False)
    vault: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    registries: LabRegistries = field(default_factory=LabRegistries)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.clock, self.seed)
        self.proxmox = cluster_for(self.house, self.world)
        # The checksum is the published image's: a modelled house pins what its factory serves.
        self.sha256 = publish_image(self.proxmox, self.house.image.url)
        for other in self.house.images:
            publish_image(self.proxmox, other.url)
        self.house = replace(self.house, image=replace(self.house.image, sha256=self.sha256))
        self.talos = TalosWorld(self.world)
        join(self.house, self.proxmox, self.talos)
        self.store = Store()
        self.kube = KubeWorld(self.world, self.talos, self.house, self.store)
        self.volsync = VolSync(self.kube)
        self.operator = Operator(self.kube)
        self.flux = FluxWorld(self.kube, self.volsync, self.operator)
        self.files = ModelledHouse(self.house)
        self.dns = LabDns.on(self.house.dns)

    def act(self, run: str, machine: str = "this-machine") -> ActContext:
        """Full ports for one run of a machine, without faults and without a fence. Of one machine the last run alone lives."""
        process = f"process 1 of {run}:1 in 1"
        party = Party(
            pool_of(self.house.id), owner_words(run, process, self.clock.now(), f"{machine}:/state"), lambda one: one != process
        )
        return ActContext(
            run=run,
            clock=self.clock,
            proxmox=ModelledProxmox(self.proxmox, self.house.proxmox.token_id, party),
            talos=ModelledTalos(self.talos, self.files),
            machineconfigs=ModelledMachineconfigs(self.files),
            cluster=ModelledCluster(self.kube, self.volsync),
            releases=ModelledReleases(self.kube, self.flux, self.unfetchable, self.unhooked, self.rendered),
            flux=ModelledFlux(self.kube, self.flux),
            claims=ModelledClaims(self.kube, self.volsync),
            hold=ModelledHold(self.kube),
            backups=ModelledBackups(self.store, self.world),
            clone=ModelledClone(self.kube, self.files),
            factory=ModelledFactory(self.proxmox.images),
            manifests=ModelledManifests(self.unfetchable),
            archives=ModelledArchives(self.store),
            nas=ModelledNas(self.nas, self.clock),
            drills=ModelledDrills(self.kube),
            trials=ModelledTrials(self.kube, self.proxmox),
            csi=ModelledCsi(self.kube),
            components=ModelledComponents(self.kube),
            etcd=ModelledEtcd(self.kube, self.files, self.snapshots),
            databases=ModelledDatabases(self.operator),
            kept=ModelledKept(self.kube, self.volsync),
            locks=ModelledLocks(self.store, self.kube),
            inventory=ModelledInventory(self.kube),
            versions=ModelledVersions(self.store, self.world),
            dns=ModelledDns(self.world, self.dns, self.house.dns),
            tls=ModelledTls(self.kube, self.house),
            vault=ModelledVault(self.vault, self.clock),
            flags=ModelledFlags(self.kube),
            registries=ModelledRegistries(self.world, self.registries),
        )

    def look(self) -> LookContext:
        """Views only."""
        act = self.act("look")
        return LookContext(
            act.clock, act.proxmox, act.talos, act.machineconfigs, act.cluster, act.releases, act.flux, act.claims, act.hold,
            act.backups, act.clone, act.factory, act.manifests, act.archives, act.nas, act.drills,
            act.trials, act.csi, act.components, act.etcd, act.databases, act.kept,
            act.locks, act.inventory, act.versions, act.dns, act.tls, act.vault, act.flags, act.registries,
        )  # fmt: skip

    # What happens to a house.

    def plug_nas(self, box: LabNas, vm_id: int, host: str) -> LabVm:
        """A NAS of the settings is this box, in a VM that runs on this host."""
        vm = LabVm(vm_id, host, {"name": box.hostname, "cores": 2, "memory": 8192}, {}, {})
        plug_nas(self.proxmox, box, vm, self.clock.now)
        self.nas[box.hostname] = box
        return vm

    def seed_backup(self, address: str, entries: tuple[FileEntry, ...], age_s: float = 3600.0) -> None:
        """A snapshot that was made `age_s` seconds ago."""
        self.store.back_up(address, entries, self.clock.now() - age_s)

    def lose_every_vm(self) -> None:
        """All VMs and their disks are gone at once."""
        with self.world.looking():
            nodes = {node.vm_id for node in self.house.vms}  # a NAS beside them stays
            for vm in [one for one in self.proxmox.vms.values() if one.vm_id in nodes]:
                self.proxmox.power(vm, PowerEvent.STOPPED)
                self.proxmox.remove(vm)
