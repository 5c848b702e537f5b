"""The doors of the Proxmox port for the contract suite: both lead to the same kind of world."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from adapters.ports import Proxmox
from adapters.proxmox.adapter import ProxmoxAdapter
from adapters.proxmox.reserving import Party, owner_words, pool_of, process_words
from adapters.proxmox.results import DiskSpec, TaskRef, TaskStatus, Vm, VmSpec
from adapters.surface import surfaces
from engine.secrets import Secret
from house.model import ProxmoxAccess
from lab.ports.faulty import TARGETS, faulty_port
from lab.ports.machines.proxmox import ModelledProxmox
from lab.wire.factory import FactoryServer, https_fetch
from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from lab.world.clock import VirtualClock
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.house import cluster_for, publish_image
from lab.world.world import World
from tests.builders import GIB, a_house

HOUSE = a_house()
TOKEN = HOUSE.owner_token(HOUSE.nodes[0])
PARTY = Party(
    pool_of(HOUSE.id), owner_words("r", process_words(7, "b:1", "1"), 1_750_000_000.0, "desk-1a2b:/a state: folder"),
    lambda process: process == process_words(6, "b:1", "1"),
)  # fmt: skip
IMAGE = f"local:import/{HOUSE.image.filename}"


class HandClock:
    """A clock that only a sleep moves."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """The same reading: nobody turns this clock back."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move time on."""
        self.time += seconds


@dataclass
class Door:
    """A port, the world behind it, and how to let the world's time pass."""

    port: Proxmox
    pve: LabProxmox
    url: str
    sha256: str
    sleep: Callable[[float], None]

    @property
    def world(self) -> World:
        """The world behind the port."""
        return self.pve.world

    def ended(self, ref: TaskRef) -> TaskStatus:
        """The task's end; time passes until then."""
        for _ in range(700):
            status = self.port.task(ref)
            if not status.running:
                return status
            self.sleep(1.0)
        raise AssertionError(f"{ref.upid} does not end")

    def done(self, ref: TaskRef) -> None:
        """Wait for the task and require its success."""
        status = self.ended(ref)
        assert status.ok, status

    def with_image(self) -> None:
        """The Talos image is on host pve-1."""
        self.done(self.port.download_image("pve-1", "local", HOUSE.image.filename, self.url, self.sha256))

    def with_vm(self) -> VmSpec:
        """A VM of ours on host pve-1, made and stopped."""
        self.with_image()
        self.done(self.port.create_vm(a_spec()))
        return a_spec()


def a_spec(**changes: object) -> VmSpec:
    """The VM of the house's first node."""
    node = HOUSE.nodes[0]
    values: dict[str, object] = {
        "vm_id": node.vm_id,
        "name": node.name,
        "host": node.host,
        "token": TOKEN,
        "cores": node.cores,
        "memory": node.memory,
        "mac": node.mac,
        "bridge": node.bridge,
        "disks": (DiskSpec("scsi0", "local-lvm", 20 * GIB, IMAGE), DiskSpec("scsi1", "local-lvm", 50 * GIB)),
        "tags": ("talos", "blackstart"),
    }
    return VmSpec(**(values | changes))  # type: ignore[arg-type]  # the values' types are VmSpec's own


def modelled_door() -> Door:
    """In process, on a virtual clock."""
    clock = VirtualClock()
    world = World(clock)
    clock.drives(world)
    pve = cluster_for(HOUSE, world)
    sha256 = publish_image(pve, HOUSE.image.url)
    inner: Proxmox = ModelledProxmox(pve, HOUSE.proxmox.token_id, PARTY)
    port = faulty_port(inner, surfaces()["proxmox"], TARGETS["proxmox"], world, clock)
    return Door(port, pve, HOUSE.image.url, sha256, clock.sleep)


@contextmanager
def wire_door(folder: Path) -> Iterator[Door]:
    """Over HTTPS: the real adapter on unmodified proxmoxer, four endpoints, an Image Factory. On the same virtual clock."""
    clock = HandClock()
    secret = Secret(secrets.token_urlsafe(24))
    pve = cluster_for(HOUSE, World(clock), secret.reveal())
    ca = LabCA(folder)
    factory = FactoryServer(pve.images, "127.0.0.1", 0, ca.server("factory", "127.0.0.1")).start()
    server = ProxmoxDoor(pve, ca, dict.fromkeys(pve.hosts, ("127.0.0.1", 0))).start()
    url = factory.server.url + urlsplit(HOUSE.image.url).path
    pve.fetch = partial(https_fetch, ca.ca_file)
    access = ProxmoxAccess(server.endpoints(), HOUSE.proxmox.token_id, HOUSE.proxmox.token_secret)
    adapter = ProxmoxAdapter(access, lambda: secret, party=PARTY)
    try:
        yield Door(adapter, pve, url, publish_image(pve, url), clock.sleep)
    finally:
        adapter.close()
        server.close()
        factory.close()
    assert server.unknown == []


def only_vm(door: Door) -> Vm:
    """The one VM there is."""
    (vm,) = door.port.vms()
    return vm


MUTATIONS: dict[str, Callable[[Door], TaskRef]] = {
    "download_image": lambda door: door.port.download_image("pve-1", "local", "b.qcow2", door.url, door.sha256),
    "create_vm": lambda door: door.port.create_vm(a_spec(vm_id=8002, mac="bc:24:11:00:00:99")),
    "grow_disk": lambda door: door.port.grow_disk("pve-1", 8001, "scsi1", 60 * GIB),
    "start_vm": lambda door: door.port.start_vm("pve-1", 8001),
}
"""One call of each, on a door whose VM 8001 has a second disk and whose image `b.qcow2` is not there yet."""
