"""What a house of the lab is made of: its nodes, its block of loopback addresses, its folder. Makes nothing, starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
API_PORT, PROXMOX_PORT, S3_PORT = 6443, 8006, 9000
GIT_PORT, CHARTS_PORT, FACTORY_PORT, NAS_PORT, NAS_SSH_PORT, REGISTRIES_PORT = 8443, 8444, 8445, 8446, 8447, 8448
TALOS_PORT, ETCD_PORTS = 50000, (2379, 2380)


@dataclass(frozen=True)
class NodeShape:
    """One node: `number` makes its address, MAC, VM id and host."""

    name: str
    number: int
    control_plane: bool

    @property
    def host(self) -> str:
        """The Proxmox host that its VM is on."""
        return f"pve-{self.number}"

    @property
    def mac(self) -> str:
        """The MAC of its VM's network card."""
        return f"bc:24:11:00:00:{self.number:02x}"

    @property
    def vm_id(self) -> int:
        """The id of its VM."""
        return 8000 + self.number


NAS_VM = 8040
"""The id of the VM that a house's NAS is."""


@dataclass(frozen=True)
class HouseShape:
    """One sample house. `stock`: Proxmox and factory are as they come, and somebody has yet to make them fit. `database`: Git
    declares one, and its archive is at the store. `neighbour`: a second application beside the first, backed up every two minutes;
    control planes take no pods, so that one of them can be lost without any application."""

    name: str
    nodes: tuple[NodeShape, ...]
    nas: bool = False
    stock: bool = False
    database: bool = False
    neighbour: bool = False

    @property
    def applications(self) -> tuple[str, ...]:
        """Its applications with a volume."""
        return ("notes", "wiki") if self.neighbour else ("notes",)


ONE_NODE = HouseShape("one-node", (NodeShape("cp-1", 1, control_plane=True),))
FOUR_NODES = HouseShape(
    "four-nodes",
    (
        NodeShape("cp-1", 1, control_plane=True),
        NodeShape("cp-2", 2, control_plane=True),
        NodeShape("cp-3", 3, control_plane=True),
        NodeShape("w-1", 4, control_plane=False),
    ),
)
ONE_NODE_NAS = HouseShape("one-node-nas", ONE_NODE.nodes, nas=True)
ONE_NODE_DATABASE = HouseShape("one-node-database", ONE_NODE.nodes, database=True)
NEIGHBOURS = HouseShape("neighbours", FOUR_NODES.nodes, neighbour=True)
STOCK = HouseShape("stock", ONE_NODE.nodes, stock=True)
SHAPES = {shape.name: shape for shape in (ONE_NODE, FOUR_NODES, ONE_NODE_NAS, ONE_NODE_DATABASE, NEIGHBOURS, STOCK)}


@dataclass(frozen=True)
class Block:
    """The addresses of one house: `prefix` is their first three numbers."""

    prefix: str

    @property
    def vip(self) -> str:
        """The cluster's virtual address."""
        return f"{self.prefix}.10"

    @property
    def servers(self) -> str:
        """Where Git, charts and the Image Factory are."""
        return f"{self.prefix}.20"

    @property
    def store(self) -> str:
        """Where the S3 door is."""
        return f"{self.prefix}.30"

    @property
    def nas(self) -> str:
        """Where the NAS is, in a house that has one."""
        return f"{self.prefix}.40"

    def node(self, node: NodeShape) -> str:
        """A node's address."""
        return f"{self.prefix}.{10 + node.number}"

    def host(self, node: NodeShape) -> str:
        """The address of the Proxmox host that a node's VM is on."""
        return f"{self.prefix}.{100 + node.number}"

    @property
    def endpoint(self) -> str:
        """The cluster's endpoint."""
        return f"https://{self.vip}:{API_PORT}"

    @property
    def git(self) -> str:
        """The URL that Flux pulls."""
        return f"https://{self.servers}:{GIT_PORT}/home-ops.git"

    @property
    def charts(self) -> str:
        """The URL of the Helm repository."""
        return f"https://{self.servers}:{CHARTS_PORT}"

    @property
    def factory(self) -> str:
        """The URL of the Image Factory."""
        return f"https://{self.servers}:{FACTORY_PORT}"

    @property
    def registries(self) -> str:
        """The URL of what stands for every registry of images."""
        return f"https://{self.servers}:{REGISTRIES_PORT}"

    @property
    def backups(self) -> str:
        """What a mover sees as the folder of all repositories."""
        return f"s3:https://{self.store}:{S3_PORT}/backups"

    def doors(self, shape: HouseShape) -> Iterator[tuple[str, int]]:
        """Every address and port that something of this house listens on, now or once its machines run."""
        yield self.vip, API_PORT
        yield from ((self.servers, port) for port in (GIT_PORT, CHARTS_PORT, FACTORY_PORT, REGISTRIES_PORT))
        yield self.store, S3_PORT
        if shape.nas:
            yield from ((self.nas, port) for port in (NAS_PORT, NAS_SSH_PORT))
        for node in shape.nodes:
            yield self.host(node), PROXMOX_PORT
            yield self.node(node), TALOS_PORT
            if node.control_plane:
                yield from ((self.node(node), port) for port in (API_PORT, *ETCD_PORTS))


@dataclass(frozen=True)
class HouseFolder:
    """Where everything of one house of the lab is: `.lab/<house>/`."""

    root: Path

    @classmethod
    def of(cls, house: str) -> HouseFolder:
        """The folder of a house of this name in this checkout."""
        return cls(CHECKOUT / ".lab" / house)

    @property
    def settings(self) -> Path:
        """The settings file that every verb takes."""
        return self.root / "blackstart.yaml"

    @property
    def endpoints(self) -> Path:
        """Addresses, CA files, credential files and process ids, for any client."""
        return self.root / "endpoints.json"

    @property
    def clone(self) -> Path:
        """The clone of the home-ops repository."""
        return self.root / "home-ops"

    @property
    def git(self) -> Path:
        """The folder with the bare repository that Flux pulls."""
        return self.root / "git"

    @property
    def charts(self) -> Path:
        """The packed charts."""
        return self.root / "charts"

    @property
    def pki(self) -> Path:
        """The lab's own certificate authority."""
        return self.root / "pki"

    @property
    def ca_file(self) -> Path:
        """The certificate that all of the lab's servers are signed with."""
        return self.pki / "ca.crt"

    @property
    def secrets(self) -> Path:
        """The folder of generated secrets, one 0600 file each."""
        return self.root / "secrets"

    @property
    def nas_ssh(self) -> Path:
        """Keys and configuration of the SSH server of the house's NAS."""
        return self.root / "nas-ssh"

    @property
    def parts(self) -> Path:
        """The folder of the real programs: data, logs, pid files."""
        return self.root / "parts"

    @property
    def control(self) -> Path:
        """The daemon's unix socket."""
        return self.root / "control.sock"

    @property
    def daemon(self) -> Path:
        """Pid and start time of the daemon."""
        return self.root / "daemon.json"

    @property
    def log(self) -> Path:
        """What the daemon wrote."""
        return self.root / "daemon.log"
