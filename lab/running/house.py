"""A whole house of the lab, running: one World on a real clock, every door open, real programs behind them.

Knows no command line and no control socket: lab/running/daemon.py runs it, lab/running/control.py plays in it.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from functools import partial

from house.loader import load
from house.model import House
from lab.buckets import BucketArchive
from lab.houses.building import builder
from lab.houses.credentials import Credentials
from lab.houses.nouns import (
    CHARTS_PORT,
    FACTORY_PORT,
    GIT_PORT,
    NAS_PORT,
    NAS_SSH_PORT,
    NAS_VM,
    PROXMOX_PORT,
    REGISTRIES_PORT,
    S3_PORT,
    Block,
    HouseFolder,
    HouseShape,
)
from lab.modelled.stored import stored_database
from lab.parts.cluster import LabCluster, Settings
from lab.parts.databases.barman import lacks
from lab.parts.databases.cnpg import why_none
from lab.parts.pods.registry import NamedImages
from lab.running.bridge import Bridge
from lab.running.fastclock import FastClock
from lab.running.pastdatabase import leave_archive
from lab.wire.charts import ChartDoor
from lab.wire.factory import FactoryServer, https_fetch
from lab.wire.git import GitDoor
from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from lab.wire.registries import RegistryDoor, of_machines
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.wire.sftp.door import SftpDoor
from lab.wire.sftp.exports import BoxTree
from lab.wire.sftp.keys import SshKeys
from lab.wire.talos.door import TalosDoor
from lab.wire.truenas.door import TrueNasDoor
from lab.wiring import join, plug_nas
from lab.world.archives import ArchiveFiles
from lab.world.cluster.components import STOOD_IN
from lab.world.machines.talos import TalosWorld
from lab.world.nas import LabNas, LabUser, sample_nas
from lab.world.pve.house import cluster_for, publish_image, without_favours
from lab.world.pve.vm import LabVm, PowerEvent
from lab.world.world import World

_LOG = logging.getLogger(__name__)
BUCKET = "backups"
_LOSS_S = 45.0  # less than a control socket waits for an answer
SERVICE_SUBNET = "10.96.0.0/12"  # what talhelper writes when talconfig.yaml says nothing


class LabHouse:
    """Everything of one house, between `open` and `close`. Made from the folder that make_house left."""

    def __init__(self, shape: HouseShape, folder: HouseFolder, block: Block, speed: float) -> None:
        self.shape, self.folder, self.block, self.speed = shape, folder, block, speed
        self.house: House = load(folder.settings, builder())
        credentials = Credentials.read(folder.secrets)
        self.world = World(FastClock(speed))
        self.proxmox = cluster_for(self.house, self.world, credentials.proxmox_token.reveal())
        self.proxmox.fetch = partial(https_fetch, folder.ca_file)
        publish_image(self.proxmox, self.house.image.url)
        if shape.stock:
            without_favours(self.proxmox, self.house.proxmox.token_id)
        self.talos = TalosWorld(self.world)
        join(self.house, self.proxmox, self.talos)
        self.images = NamedImages(folder.clone, folder.charts, besides=STOOD_IN)
        self.cluster = LabCluster(
            Settings(
                root=folder.parts,
                prefix=block.prefix,
                vip=block.vip,
                service_subnet=SERVICE_SUBNET,
                network_images=frozenset({"cilium"}),
                exists=self.images,
                environment=(("SSL_CERT_FILE", str(folder.ca_file)),),
            )
        )
        self.bridge = Bridge(self.talos, self.proxmox, self.cluster)
        self.store = ObjectStore(folder.root / "store")
        self.store.make_bucket(BUCKET)
        self.archive = BucketArchive(self.store) if shape.database else None
        self.archived = ArchiveFiles()
        self.key = AccessKey(credentials.store_key_id.reveal(), credentials.store_key)
        self._nas_key = credentials.nas_key
        self.nas = self.new_nas() if shape.nas else None
        self.nas_vm = self._plugged(self.nas) if self.nas is not None else None
        self._stack = ExitStack()
        self.git: GitDoor
        self.charts: ChartDoor
        self.registries: RegistryDoor
        self.s3: S3Door
        self.pve_door: ProxmoxDoor
        self.talos_door: TalosDoor

    def open(self) -> None:
        """Open every door. OSError when an address is taken."""
        ca, block, folder = LabCA(self.folder.pki), self.block, self.folder
        shared = ca.server("servers", block.servers)
        stack = self._stack
        factory = FactoryServer(self.proxmox.images, block.servers, FACTORY_PORT, shared)
        stack.callback(factory.start().close)
        self.git = GitDoor(folder.git, block.servers, GIT_PORT, shared)
        stack.callback(self.git.start().close)
        self.charts = ChartDoor(folder.charts, block.servers, CHARTS_PORT, shared)
        stack.callback(self.charts.start().close)
        self.registries = RegistryDoor(
            block.servers, REGISTRIES_PORT, shared, lambda image: of_machines(image) or self.images(image)
        )  # fmt: skip
        stack.callback(self.registries.start().close)
        self.s3 = S3Door(
            self.store, (self.key,), ca.server("s3", block.store).context(), self.world.faults,
            address=block.store, port=S3_PORT, slow_fault_s=20.0 / self.speed, on_death=self._death,
            # barman-cloud lists the log by prefixes that end inside a name, which a project with its own encryption refuses.
            encrypted=not self.shape.database,
        )  # fmt: skip
        stack.callback(self.s3.start().close)
        if self.archive is not None:
            self.archived = self._leave_archive(self.archive)
        if self.nas is not None:
            # Its own time is real time, as that of certificates and backups: only machines of the lab live faster.
            keys = ca.server("nas", block.nas)
            self.nas_door = TrueNasDoor(self.nas, keys.context(), address=block.nas, port=NAS_PORT, binding=keys.digest)
            stack.callback(self.nas_door.start().close)
            tree = BoxTree(self.nas, folder.nas_ssh / "mnt")
            self.nas_sftp = SftpDoor(SshKeys(folder.nas_ssh), tree, address=block.nas, port=NAS_SSH_PORT)
            stack.callback(self.nas_sftp.start().close)
            _LOG.info("SFTP of the NAS is served by %s", self.nas_sftp.server.told)
        hosts = {node.host: (block.host(node), PROXMOX_PORT) for node in self.shape.nodes}
        self.pve_door = ProxmoxDoor(self.proxmox, ca, hosts)
        stack.callback(self.pve_door.start().close)
        stack.callback(self.cluster.down)
        self.cluster.start()
        stack.callback(self.bridge.stop)
        self.bridge.start()
        self.talos_door = TalosDoor(self.talos, folder.root / "talos-door", slow_s=20.0 / self.speed)
        stack.callback(self.talos_door.close)
        self.talos_door.start()

    def close(self) -> None:
        """Close every door and end every program; nothing is left running."""
        self._stack.close()

    def _leave_archive(self, archive: BucketArchive) -> ArchiveFiles:
        """What an earlier cluster's database has left in its archive."""
        why = lacks()
        archive.put(stored_database(time.time()).files if why else ArchiveFiles())
        if why:
            _LOG.info("the database's archive is files that nobody can restore: %s", why)
        else:
            leave_archive(self.s3.url, archive.bucket, archive.server, self.key, self.folder.ca_file)
        _LOG.info("databases are restored by %s", why_none() or "real PostgreSQL")
        return archive.files()

    def new_nas(self) -> LabNas:
        """A box in order, whose one user has the key that the house's settings refer to."""
        return sample_nas(time.time(), LabUser("blackstart", self._nas_key.reveal()))

    def _plugged(self, box: LabNas) -> LabVm:
        vm = LabVm(NAS_VM, self.shape.nodes[0].host, {"name": "nas", "cores": 2, "memory": 8192}, {}, {})
        plug_nas(self.proxmox, box, vm, time.time)
        return vm

    def lose_everything(self) -> None:
        """Every node's VM and disk, volumes of claims included, is gone when this returns; no program of theirs writes any more.

        A NAS beside them stays.
        """
        with self.world.looking():
            for vm in [one for one in self.proxmox.vms.values() if one is not self.nas_vm]:
                self.proxmox.power(vm, PowerEvent.STOPPED)
                self.proxmox.remove(vm)
        self.cluster.order(self._lose_volumes)
        self.cluster.obey(_LOSS_S)

    def _lose_volumes(self) -> None:
        disks = self.cluster.disks
        for folder in (*disks.volumes.iterdir(), *disks.snapshots.iterdir()):
            disks.remove(folder)

    def _death(self, name: str) -> None:
        if self.world.on_death is not None:
            self.world.on_death(name)
