"""The whole house while time passes: operators write their objects, backups run by their schedules, faults begin and end.

What the other modules of this folder put there for one look is kept up here: without its operators' next word everything would
grow old by itself, and be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.troubles.ceph import CEPH_TROUBLES
from lab.troubles.component import COMPONENT_TROUBLES, ComponentTrouble
from lab.troubles.csi import CSI_TROUBLES
from lab.troubles.dns import DNS_TROUBLES
from lab.troubles.longhorn import LONGHORN_TROUBLES
from lab.troubles.nas import NAS_FAULTS
from lab.troubles.rook import ROOK_TROUBLES
from lab.world.cluster.ceph import LabCeph
from lab.world.cluster.components import HOUR_S, healthy, last_full
from lab.world.cluster.csi import healthy as csi_healthy
from lab.world.cluster.longhorn import healthy as longhorn_healthy
from lab.world.cluster.rook import LabRook
from lab.world.dns import LabDns
from lab.world.nas import LabNas, LabUser, sample_nas
from lab.world.store import StoredRepository
from tests.coverage.whole_house import KEY_OF_ANOTHER
from tests.scenario.faults.named_faults import FAULTS
from tests.scenario.faults.named_mends import MENDS, Undo
from tests.scenario.running import Running

WRITES_EVERY_S = 60.0
_OWN = ("powered", "booting", "booted_at", "hostname")
"""Of a NAS, what its VM decides."""


@dataclass
class Living:
    """The house, and what is wrong with it: each fault's name → what ends it."""

    house: Running
    wrong: dict[str, Undo] = field(default_factory=dict)
    _components: dict[str, tuple[ComponentTrouble, float]] = field(default_factory=dict)
    _backed_up: float = 0.0

    def __post_init__(self) -> None:
        self._objects = self.house.home.kube.objects()
        self._backed_up = last_full(HOUR_S, self.now)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.house.clock.now()

    def sleep_until(self, at: float) -> None:
        """Let time pass, with all that the house does meanwhile."""
        while self.now < at:
            self.house.clock.sleep(min(at - self.now, WRITES_EVERY_S))
            self.write()

    def begin(self, name: str, since: float) -> None:
        """Let a fault begin. `since` is earlier than now for one whose cause is older, and that nothing but age tells of."""
        self.wrong[name] = self._begun(name, since)
        self.write()

    def end(self, name: str) -> None:
        """Let it end: whoever broke it has mended it."""
        self.wrong.pop(name)()
        self.write()

    def write(self) -> None:
        """What operators, the NAS and VolSync's schedule do by themselves in a minute."""
        objects, nodes = self._objects, [node.name for node in self.house.house.nodes]
        put = [one for trouble, since in self._components.values() for one in trouble.puts(since)]
        objects.components = [*healthy(self.now, len(nodes)), *put]
        objects.components_lost = [one for trouble, since in self._components.values() for one in trouble.loses(since)]
        objects.age_keys = {KEY_OF_ANOTHER[0]: KEY_OF_ANOTHER[1]} if any(one.key for one, _ in self._components.values()) else {}
        csi, worn = csi_healthy(nodes), longhorn_healthy(nodes)
        for name in self.wrong:
            csi = CSI_TROUBLES[name].change(csi) if name in CSI_TROUBLES else csi
            worn = LONGHORN_TROUBLES[name].change(worn) if name in LONGHORN_TROUBLES else worn
        objects.csi, objects.longhorn = csi, worn
        for machine in self.house.home.talos.machines.values():
            self.house.home.kube.api_ready(machine)  # it starts behind its etcd, whether or not anybody looks
        if not any(name in NAS_FAULTS for name in self.wrong):
            self._nas_in_order()
        if last_full(HOUR_S, self.now) > self._backed_up:
            self._backed_up = last_full(HOUR_S, self.now)
            self._back_up()

    def _back_up(self) -> None:
        """Each source's schedule is due."""
        home = self.house.home
        with home.world.looking():
            for source in self._objects.sources.values():
                if source.address not in home.store.repositories:  # its mover makes one, which is another than the one that was
                    home.store.repositories[source.address] = StoredRepository("ff" * 32)
                source.wanted = True
                home.volsync.consider_source(self._objects, source)

    def _begun(self, name: str, since: float) -> Undo:
        if name in COMPONENT_TROUBLES:
            self._components[name] = COMPONENT_TROUBLES[name], since
            return lambda: self._forget(name)
        if name in CSI_TROUBLES or name in LONGHORN_TROUBLES:
            return lambda: None
        if name in ROOK_TROUBLES:
            ROOK_TROUBLES[name].begin(self._objects.rook[0], since)
            return lambda: setattr(self._objects, "rook", [LabRook.healthy(self.now)])
        if name in CEPH_TROUBLES:
            return self._hosts_ceph(name)
        if name in DNS_TROUBLES:
            DNS_TROUBLES[name].begin(self.house.home.dns)
            return lambda: self._dns_in_order(DNS_TROUBLES[name].server)
        if name in NAS_FAULTS:
            NAS_FAULTS[name].begin(self._box, since)
            return self._nas_in_order
        undo = MENDS[name](self.house)
        _STRIKES[name](self.house)
        return undo

    def _forget(self, name: str) -> None:
        self._components.pop(name)

    def _hosts_ceph(self, name: str) -> Undo:
        proxmox = self.house.home.proxmox
        assert isinstance(proxmox.ceph, LabCeph)
        CEPH_TROUBLES[name].begin(proxmox.ceph)
        return lambda: setattr(proxmox, "ceph", LabCeph.on(proxmox.hosts))

    def _dns_in_order(self, server: str) -> None:
        dns = self.house.home.dns
        dns.zones[server] = LabDns.on(self.house.house.dns).zones[server]
        dns.silent.discard(server)
        dns.failing.discard(server)

    @property
    def _box(self) -> LabNas:
        return self.house.home.nas["nas"]

    def _nas_in_order(self) -> None:
        """As it is when all is well, with the snapshots that it has made by now."""
        whole = sample_nas(self.now, LabUser("blackstart", "3-key"))
        vars(self._box).update({name: value for name, value in vars(whole).items() if name not in _OWN})


_STRIKES: dict[str, Callable[[Running], None]] = {one.name: one.strike for one in FAULTS}
