"""What the Talos port answers, in our words. Knows nothing of talosctl or gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """Which Talos API answers at an address, told apart by certificate and by the state it reports."""

    UNREACHABLE = "unreachable"  # nothing answered: a look that found nobody, not a fault of ours
    MAINTENANCE = "maintenance"  # self-signed, no machineconfig yet
    SECURE = "secure"  # a certificate of our own Talos CA
    FOREIGN = "foreign"  # a configured node of somebody else's CA: never touch it


@dataclass(frozen=True)
class MachineState:
    """One configured node's own words (MachineStatus): stage such as booting, running; `ready`; what is unmet."""

    stage: str
    ready: bool
    unmet: tuple[str, ...]


@dataclass(frozen=True)
class Disk:
    """A disk of a node in maintenance; size in bytes."""

    device: str
    size: int
    system: bool


class EtcdData(Enum):
    """Whether a control plane's etcd has data: the question that decides a bootstrap."""

    UNKNOWN = "unknown"
    NONE = "none"  # asked, and waiting for a bootstrap: the data directory is empty
    PRESENT = "present"


@dataclass(frozen=True)
class EtcdMember:
    """One member as the cluster lists it; ids in hex."""

    member_id: str
    hostname: str
    peer_urls: tuple[str, ...]
    learner: bool


@dataclass(frozen=True)
class EtcdState:
    """etcd as one node tells it. `members` is empty unless data are PRESENT and the members answered."""

    data: EtcdData
    healthy: bool
    members: tuple[EtcdMember, ...]
    cluster_id: str = ""


@dataclass(frozen=True)
class Authority:
    """One certificate authority of the secrets bundle, and when its certificate ends (epoch seconds; None: it holds none)."""

    name: str
    ends: float | None
