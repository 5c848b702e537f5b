"""How etcd starts, joins, leaves and stops on the control planes of the World. Knows Talos's rules for it, and no protocol.

There is no guard across machines, as there is none in Talos: a bootstrap on a second, empty control plane makes a second etcd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lab.world.machines.etcd import EtcdCluster, EtcdDir, EtcdStatus, MemberRecord
from lab.world.machines.machine import Machine, Port, Refused
from lab.world.world import World

Hook = Callable[[Machine], None]


@dataclass(frozen=True)
class EtcdDelays:
    """Seconds of the World's clock: until etcd runs, until a joining member runs, until a learner may vote."""

    start_s: float = 4.0
    join_s: float = 5.0
    promote_s: float = 3.0


class EtcdLife:
    """etcd on every control plane. `clusters` remembers every cluster that was ever made.

    The hooks are for real parts: each is called under the World's lock and must return at once. `on_bootstrap`: this machine
    starts a new cluster; `on_join`: it joins one (as a learner first); `on_resume`: it starts on the data it has;
    `on_stop`: it no longer runs, at once, as with a power cut; `on_wipe`: the data directory of this key is gone; `on_remove`:
    through this machine the member of this id left the list.
    """

    def __init__(
        self, world: World, machines: Callable[[], Iterable[Machine]], delays: EtcdDelays, changed: Callable[[], None]
    ) -> None:
        self._world = world
        self._changed = changed
        self._machines = machines
        self._delays = delays
        self._directories = 0
        self.clusters: list[EtcdCluster] = []
        self.on_bootstrap: list[Hook] = []
        self.on_join: list[Hook] = []
        self.on_resume: list[Hook] = []
        self.on_stop: list[Hook] = []
        self.on_wipe: list[Callable[[str], None]] = []
        self.on_remove: list[Callable[[Machine, int], None]] = []
        # Where real etcds run, they tell how it is.
        self.really_healthy: Callable[[Machine], bool] | None = None
        self.really_members: Callable[[Machine], Sequence[MemberRecord]] | None = None
        self.really_status: Callable[[Machine], EtcdStatus] | None = None
        # Lets a real etcd begin from an upload: its bytes, and whether its hash counts. Called before `on_bootstrap`.
        self.really_recover: Callable[[Machine, bytes, bool], None] | None = None
        self.really_snapshot: Callable[[Machine], bytes] | None = None
        self.really_database: Callable[[Machine], bytes] | None = None

    def running(self, cluster: EtcdCluster) -> frozenset[int]:
        """Ids of the members of this cluster that run now."""
        return frozenset(
            found.member_id
            for m in self._machines()
            if m.service_state("etcd") == "Running" and (found := m.etcd_dir) is not None and found.cluster is cluster
        )

    def healthy(self, machine: Machine) -> bool:
        """Whether this machine's etcd runs as a voter in a cluster that has a quorum (and the real one says so too)."""
        found = machine.etcd_dir if machine.service_state("etcd") == "Running" else None
        if found is None or found.cluster is None:
            return False
        member = found.cluster.members.get(found.member_id)
        if member is None or member.learner or not found.cluster.quorum(self.running(found.cluster)):
            return False
        return self.really_healthy is None or self.really_healthy(machine)

    def members(self, machine: Machine) -> Sequence[MemberRecord]:
        """The member list as this machine's etcd tells it; Refused when it does not run."""
        found = machine.etcd_dir
        if found is None or found.cluster is None or machine.service_state("etcd") != "Running":
            raise Refused(
                "Unavailable", "failed to create etcd client: dial unix /run/etcd: connect: connection refused"
            )
        if self.really_members is not None:
            return self.really_members(machine)
        return tuple(member for _, member in sorted(found.cluster.members.items()))

    def status(self, machine: Machine) -> EtcdStatus:
        """What this machine's etcd says of itself where none is real: the first voter that runs leads. Refused when it is off."""
        members = self.members(machine)
        found = machine.etcd_dir
        assert found is not None and found.cluster is not None  # else it has no members
        up = self.running(found.cluster)
        leads = found.cluster.quorum(up)
        leader = next((m.member_id for m in members if not m.learner and m.member_id in up), 0) if leads else 0
        learner = any(m.member_id == found.member_id and m.learner for m in members)
        return EtcdStatus(found.member_id, leader, learner, errors=() if leads else ("etcdserver: no leader",))

    def written(self, cluster: EtcdCluster) -> tuple[int, float]:
        """Its last revision, and when that was (epoch seconds): what happens in the World stands for what is written."""
        if cluster.quorum(self.running(cluster)):
            cluster.written = (len(self._world.happenings), self._world.clock.now())
        return cluster.written

    def consider(self, machine: Machine) -> None:
        """Go on with this machine's etcd, as far as its state allows now."""
        service = machine.services.get("etcd")
        if service is None or machine.etcd_busy or service.state in ("Running", "Failed"):
            return
        if not machine.time_synced:
            service.turn("Waiting", "Waiting for time sync", self._world.clock.now())
            return
        service.turn("Preparing", "Running pre state", self._world.clock.now())
        found = machine.etcd_dir
        if found is not None:
            self._later(machine, self._delays.start_s, "etcd starts", self._resume)
        elif machine.bootstrap_wanted:
            self._later(machine, self._delays.start_s, "etcd bootstraps", self._bootstrap)
        else:
            cluster = self._joinable(machine)
            if cluster is not None:
                self._add_learner(machine, cluster)
                self._later(machine, self._delays.join_s, "etcd joins", lambda m: self._join(m, cluster))

    def stop(self, machine: Machine) -> None:
        """The machine's etcd ends at once."""
        if machine.etcd_dir is not None and machine.etcd_dir.cluster is not None:
            self.written(machine.etcd_dir.cluster)
        if machine.service_state("etcd") == "Running":
            for hook in self.on_stop:
                hook(machine)
            machine.services["etcd"].turn("Finished", "Service finished", self._world.clock.now())
        machine.etcd_busy = False
        machine.bootstrap_wanted = False
        machine.recovering = None

    def leave(self, machine: Machine) -> None:
        """Leave the cluster, as a graceful reset does; Refused when the cluster has no quorum to agree to it."""
        found = machine.etcd_dir
        if found is None or found.cluster is None:
            return
        if not found.cluster.quorum(self.running(found.cluster)):
            raise Refused("Unavailable", "failed to leave cluster: etcdserver: no leader")
        if len(found.cluster.voters()) > 1:
            listed = self.members(machine)
            own = found.cluster.members.pop(found.member_id, None)
            for one in listed:
                if own is not None and one.peer_url == own.peer_url:
                    for hook in self.on_remove:
                        hook(machine, one.member_id)

    def remove(self, machine: Machine, member_id: int) -> None:
        """Take a member off the list, through this machine's etcd. One that runs ends then, and never starts on its data again."""
        listed = {one.member_id: one for one in self.members(machine)}  # Refused where it does not run
        cluster = machine.etcd_dir.cluster if machine.etcd_dir is not None else None
        assert cluster is not None
        if not cluster.quorum(self.running(cluster)):
            raise Refused("Unavailable", "failed to remove member: etcdserver: no leader")
        if member_id not in listed:
            raise Refused("NotFound", f"failed to remove member {member_id:016x}: etcdserver: member not found")
        # Where real etcds run the ids are theirs: the World's own record is the one at that peer's address.
        gone = [one for one in cluster.members.values() if one.peer_url == listed[member_id].peer_url]
        for one in gone:
            del cluster.members[one.member_id]
        self._world.happened("talos", f"etcd: member {member_id:016x} of {listed[member_id].hostname} removed")
        for hook in self.on_remove:
            hook(machine, member_id)
        for other in self._machines():
            if other.etcd_dir is not None and other.etcd_dir.member_id in {one.member_id for one in gone}:
                self.stop(other)

    def wipe(self, machine: Machine) -> None:
        """Empty the data directory."""
        disk = machine.talos_disk
        if disk is None:
            return
        if disk.etcd is not None:
            for hook in self.on_wipe:
                hook(disk.etcd.key)
        disk.etcd, disk.snapshot = None, None

    def spoil(self, machine: Machine, why: str) -> None:
        """A restore copies the database into the data directory before it looks at it: what fails stays there."""
        disk = machine.talos_disk
        assert disk is not None
        disk.etcd = EtcdDir(f"{machine.mac.replace(':', '')}-spoilt", None, broken=why)
        machine.services["etcd"].turn("Failed", why, self._world.clock.now())

    def _later(self, machine: Machine, seconds: float, what: str, act: Hook) -> None:
        machine.etcd_busy = True

        def run() -> None:
            machine.etcd_busy = False
            act(machine)
            self._changed()

        machine.timers.append(self._world.after(seconds, f"{machine.name}: {what}", run))

    def _resume(self, machine: Machine) -> None:
        found = machine.etcd_dir
        if found is None or found.broken or found.cluster is None or found.member_id not in found.cluster.members:
            reason = found.broken if found is not None and found.broken else "the member has been permanently removed"
            machine.services["etcd"].turn("Failed", reason, self._world.clock.now())
            return
        self._run(machine, self.on_resume, "etcd runs on its data")

    def _bootstrap(self, machine: Machine) -> None:
        cluster = EtcdCluster(self._world.random.getrandbits(63) | 1, machine.name)
        self.clusters.append(cluster)
        member = self._record(machine, learner=False)
        cluster.members[member.member_id] = member
        self._write(machine, cluster, member)
        if machine.recovering is not None:
            machine.recovering(cluster)
        machine.bootstrap_wanted, machine.recovering = False, None
        self._run(machine, self.on_bootstrap, "etcd made a new cluster")

    def _add_learner(self, machine: Machine, cluster: EtcdCluster) -> None:
        for old in [m for m in cluster.members.values() if m.hostname == machine.name]:
            del cluster.members[old.member_id]
        member = self._record(machine, learner=True)
        cluster.members[member.member_id] = member

    def _join(self, machine: Machine, cluster: EtcdCluster) -> None:
        member = next((m for m in cluster.members.values() if m.hostname == machine.name), None)
        if member is None or not cluster.quorum(self.running(cluster)):
            return
        self._write(machine, cluster, member)
        self._run(machine, self.on_join, "etcd joined as a learner")
        self._later(machine, self._delays.promote_s, "etcd votes", lambda m: self._promote(m, cluster, member))

    def _promote(self, machine: Machine, cluster: EtcdCluster, member: MemberRecord) -> None:
        if cluster.quorum(self.running(cluster)):
            member.learner = False
            self._world.happened("talos", f"{machine.name}: etcd votes")
        else:
            self._later(machine, self._delays.promote_s, "etcd votes", lambda m: self._promote(m, cluster, member))

    def _run(self, machine: Machine, hooks: Sequence[Hook], what: str) -> None:
        machine.services["etcd"].turn("Running", "Started task etcd", self._world.clock.now())
        self._world.happened("talos", f"{machine.name}: {what}")
        for hook in hooks:
            hook(machine)

    def _record(self, machine: Machine, *, learner: bool) -> MemberRecord:
        return MemberRecord(
            member_id=self._world.random.getrandbits(63) | 1,
            hostname=machine.name,
            peer_url=f"https://{machine.address}:2380",
            client_url=f"https://{machine.address}:2379",
            learner=learner,
        )

    def _write(self, machine: Machine, cluster: EtcdCluster, member: MemberRecord) -> None:
        disk = machine.talos_disk
        if disk is None:
            raise RuntimeError(f"{machine.name} starts etcd without a system disk")
        self._directories += 1
        disk.etcd = EtcdDir(f"{machine.mac.replace(':', '')}-{self._directories}", cluster, member.member_id)

    def _joinable(self, machine: Machine) -> EtcdCluster | None:
        """The cluster that the control planes of the same etcd CA run, if it takes a learner now."""
        for other in sorted(self._machines(), key=lambda m: m.address):
            if other is machine or other.port is not Port.SECURE or not self.healthy(other) or other.config is None:
                continue
            if machine.config is None or other.config.etcd_ca.crt != machine.config.etcd_ca.crt:
                continue
            cluster = other.etcd_dir.cluster if other.etcd_dir is not None else None
            if cluster is None:
                continue
            learner = cluster.learner()
            return cluster if learner is None or learner.hostname == machine.name else None
        return None
