"""Two machines that want the Lease of one house, on a virtual clock, and what else of a house they change. For tests of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from adapters.context import ActContext
from adapters.kubernetes.results import LeaseHolder
from adapters.leased import HouseLease, leased
from adapters.ports import Releases
from adapters.proxmox.reserving import Party
from adapters.proxmox.results import ProxmoxCluster, Reservation
from engine.errors import JournalBusy, TransientError
from lab.modelled.house import ModelledHome
from lab.world.clock import VirtualClock
from tests.builders import a_house

LONG_S = 900.0  # what a release may take


class OneLease:
    """The Lease as an API server keeps it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.held: LeaseHolder | None = None
        self.renewals = 0

    def take(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        if self.held is None or self.held.holder == holder or self.held.renewal == over:
            self.renewals += 1
            self.held = LeaseHolder(holder, str(self.renewals))
        return self.held


@dataclass
class Sight:
    """A cluster port with nothing but the Lease, whose API server can be out of sight."""

    kept: OneLease
    dark: bool = False
    taken: list[str] = field(default_factory=list)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        if self.dark:
            raise TransientError("no API server answers")
        self.taken.append(holder)
        return self.kept.take(holder, seconds, over)


class SlowHelm:
    """Releases whose sync takes as long as it is told, with what happens meanwhile."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.meanwhile: Callable[[float], None] = lambda passed: None
        self.takes_s = LONG_S

    def sync(self, namespace: str, name: str, run: str) -> None:
        for passed in range(0, int(self.takes_s), 5):
            self.clock.sleep(5.0)
            self.meanwhile(passed + 5.0)


class Machines:
    """One machine whose helm is slow, and another that wants the same house."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        home = ModelledHome(a_house(), self.clock, 0)
        self.helm, self.kept = SlowHelm(self.clock), OneLease(self.clock)
        self.ours, self.theirs = Sight(self.kept), Sight(self.kept)
        slow = replace(home.act("ours"), cluster=self.ours, releases=self.helm)  # type: ignore[arg-type]  # what is asked of them
        act, self.lease = leased(slow, "ours", self.clock.workers())
        self.releases: Releases = act.releases
        self.kept_out = 0
        self.other = HouseLease(self.theirs, "theirs", self.clock, self.clock.workers())  # type: ignore[arg-type]  # as above

    def other_comes(self, passed: float) -> None:
        """It is kept out every time it asks: it watches until it has seen a renewal."""
        if passed % 100 == 0:
            self.kept_out += 1
            with pytest.raises(JournalBusy):
                self.other.require()


@dataclass
class Host:
    """A Proxmox that keeps what one run asks of it. `kept`: its pools, the same for all runs."""

    owner: str = "run ours, process 1 of b:1 in 1, since 2025-06-15T15:00:00Z, on ours:/state"
    kept: dict[str, str] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    on: list[str] = field(default_factory=lambda: ["pve-1", "pve-2", "pve-3"])
    trouble: Exception | None = None
    gone: Callable[[str], bool] = lambda process: False

    def reservation(self) -> Reservation | None:
        if self.trouble is not None:
            raise self.trouble
        owner = self.kept.get("blackstart-house")
        return None if owner is None else Party("blackstart-house", self.owner, self.gone).judge(owner)

    def reserve(self) -> None:
        self.need_quorum()
        self.kept.setdefault("blackstart-house", self.owner)

    def unreserve(self, owner: str) -> None:
        self.need_quorum()
        if self.kept.get("blackstart-house") == owner:
            del self.kept["blackstart-house"]

    def start_vm(self, host: str, vm_id: int) -> None:
        self.started.append(vm_id)

    def shut_down_host(self, host: str) -> None:
        self.on.remove(host)

    def cluster(self) -> ProxmoxCluster:
        off = tuple(sorted({"pve-1", "pve-2", "pve-3"} - set(self.on)))
        return ProxmoxCluster("lab", len(self.on) > 1, tuple(self.on), off, "9.1.4", asked="pve-1")

    def wake_host(self, host: str) -> None:
        self.on.append(host)

    def need_quorum(self) -> None:
        if len(self.on) < 2:
            raise TransientError("cluster not ready - no quorum?")


@dataclass
class Nodes:
    """A Talos that keeps what was asked of it."""

    bootstrapped: list[str] = field(default_factory=list)

    def bootstrap_etcd(self, address: str) -> None:
        self.bootstrapped.append(address)


def early(machines: Machines, host: Host | None = None) -> tuple[Host, Nodes, Callable[[], None]]:
    """Our Proxmox and Talos guarded, and one change of each."""
    host, nodes = host or Host(), Nodes()
    bundle = ModelledHome(a_house(), machines.clock, 0).act("early")
    bare = replace(bundle, cluster=machines.ours, proxmox=host, talos=nodes)  # type: ignore[arg-type]  # what is asked of them
    act, machines.lease = leased(bare, "ours", machines.clock.workers())

    def change() -> None:
        act.proxmox.start_vm("pve1", 8001)
        act.talos.bootstrap_etcd("127.10.0.11")

    return host, nodes, change


def darkening(machines: Machines, host: Host) -> ActContext:
    """Our Proxmox guarded, in a house whose cluster is off."""
    machines.ours.dark = True
    bare = replace(ModelledHome(a_house(), machines.clock, 0).act("off"), cluster=machines.ours, proxmox=host)  # type: ignore[arg-type]  # as above
    act, machines.lease = leased(bare, "ours", machines.clock.workers())
    return act


THEIRS = "run theirs, process 2 of c:1 in 1, since 2025-06-15T15:00:00Z, on theirs:/state"
GONE = "run gone, process 3 of b:0 in 1, since 2025-06-15T15:00:00Z, on ours:/state"


def beside(machines: Machines, host: Host) -> Callable[[], None]:
    """Our cluster guarded, over that Proxmox: one short change of it."""
    bundle = ModelledHome(a_house(), machines.clock, 0).act("beside")
    bare = replace(bundle, cluster=machines.ours, proxmox=host, releases=machines.helm)  # type: ignore[arg-type]  # what is asked of them
    act, machines.lease = leased(bare, "ours", machines.clock.workers())
    machines.helm.takes_s = 5.0
    return lambda: act.releases.sync("kube-system", "cilium", "run")
