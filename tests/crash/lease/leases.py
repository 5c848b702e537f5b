"""Two machines and one house: what each begins after it has lost the Lease, and whether its next run names what was in flight.

`python -m tests.crash.lease.leases [SEEDS]` plays that many seeded schedules (200) and prints a table. Each machine has a wall
clock, a boot clock, a journal and runs of its own; it is suspended (its boot clock goes on), and cut off from the API servers and
from Proxmox. In a house that is dark no API server answers before some time: until then the hosts' reservation alone excludes.
A run that is killed leaves that and the Lease behind; the other machine's person consents to take it away only once it is dead.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from adapters.kubernetes.results import LeaseHolder
from adapters.leased import HouseLease
from adapters.reserved import HostsReserved
from cluster.steps.lift_reservation import LiftReservation
from engine import events
from engine.approval import Approval, approve
from engine.errors import ApprovalMissing, JournalBusy, OurError, TransientError
from engine.executor import run
from engine.graph import Graph
from engine.journal import open_journal, read_state
from engine.plan import plan
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.workers import Channel, Workers
from lab.world.clock import VirtualClock
from tests.builders import a_house
from tests.crash.lease.pools import HOUSE_ID, Pools, RunsHosts

T = TypeVar("T")

EARLY, STEPS = 3, 6
"""So many changes of hosts come first, of so many in all."""
LIVES = 12
KILLED = 0.3
"""The share of runs that give nothing back."""
WRONG = ("late", "overlap", "unnoticed", "unnamed", "closed")
KINDS = (
    "all done", "runs", "killed", "begun", "begun before an API server answered", "kept out by a reservation", "lifted by consent",
    "lost in flight", "named by the next run", "not given back", *WRONG,
)  # fmt: skip
DAY_S = 6000.0
"""How long a schedule has suspensions and cuts in it, in seconds."""


@dataclass
class Api:
    """The API servers: one Lease, changed by compare and swap alone; every taking of it is kept with its time."""

    clock: VirtualClock
    held: LeaseHolder | None = None
    renewals: int = 0
    takings: list[tuple[float, str]] = field(default_factory=list)
    served_at: float = 0.0
    pools: Pools = field(default_factory=Pools)

    def take(self, holder: str, over: str) -> LeaseHolder:
        """Free, ours, or not renewed since `over`: ours from now on."""
        if self.held is None or holder == self.held.holder or self.held.renewal == over:
            if self.held is None or holder != self.held.holder:
                self.takings.append((self.clock.monotonic(), holder))
            self.renewals += 1
            self.held = LeaseHolder(holder, str(self.renewals))
        return self.held

    def taken_by_another(self, holder: str, since: float) -> bool:
        """Whether somebody else took it since then."""
        return any(at >= since and who != holder for at, who in self.takings)


@dataclass
class Machine:
    """One machine: its clocks, its sight of the API servers, and when it is suspended or cut off (real seconds, begin and end)."""

    name: str
    real: VirtualClock
    api: Api
    skew_s: float
    booted_s: float
    suspended: tuple[tuple[float, float], ...]
    cut: tuple[tuple[float, float], ...]
    off_proxmox: tuple[tuple[float, float], ...] = ()
    stands_still: bool = False

    def now(self) -> float:
        """The wall clock, wrong by as much as it is."""
        return self.real.now() + self.skew_s

    def monotonic(self) -> float:
        """The boot clock: another one on each machine, and suspensions count, but for a clock that `stands_still` meanwhile."""
        at = self.real.monotonic()
        slept = sum(min(at, end) - begin for begin, end in self.suspended if begin < at) if self.stands_still else 0.0
        return at + self.booted_s - slept

    def sleep(self, seconds: float) -> None:
        """Sleep; whoever wakes while the machine is suspended goes on when that is over."""
        self.real.sleep(seconds)
        self.wake()

    def wake(self) -> None:
        """Return when the machine is not suspended."""
        while until := next((end for begin, end in self.suspended if begin <= self.real.monotonic() < end), 0.0):
            self.real.sleep(until - self.real.monotonic())

    def workers(self) -> Workers:
        """Workers that stand still while the machine does."""
        return _Workers(self)

    def sees_proxmox(self) -> bool:
        """Whether Proxmox answers this machine now."""
        return not any(begin <= self.real.monotonic() < end for begin, end in self.off_proxmox)

    def _ask(self) -> None:
        self.sleep(0.2)
        at = self.real.monotonic()
        if at < self.api.served_at or any(begin <= at < end for begin, end in self.cut):
            self.sleep(3.0)
            raise TransientError("no API server answers")

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """ClusterView's take_lease; the answer may come late."""
        self._ask()
        now = self.api.take(holder, over)
        self.sleep(0.2)
        return now

    def drop_lease(self, holder: str) -> None:
        """Cluster's drop_lease."""
        self._ask()
        if self.api.held is not None and self.api.held.holder == holder:
            self.api.held = None


class _Channel(Generic[T]):
    def __init__(self, machine: Machine, channel: Channel[T]) -> None:
        self._machine, self._channel = machine, channel

    def put(self, item: T) -> None:
        self._channel.put(item)

    def get(self, timeout: float | None = None) -> T | None:
        item = self._channel.get(timeout)
        if timeout != 0:
            self._machine.wake()
        return item


class _Workers:
    def __init__(self, machine: Machine) -> None:
        self._machine, self._workers = machine, machine.real.workers()

    def start(self, work: Callable[[], None]) -> None:
        self._workers.start(work)

    def channel(self) -> Channel[T]:
        made: Channel[T] = self._workers.channel()
        return _Channel(self._machine, made)


@dataclass
class Tally:
    """What was counted over all schedules. `late`: mutations begun by who had lost the Lease; the rest is about those in flight."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def no(self, kind: str, told: str) -> None:
        """Something that must not be."""
        self.counts[kind] += 1
        self.wrong.append(f"{kind}: {told}")


@dataclass(frozen=True)
class Change(BaseStep):
    """Changes one thing of the house, which takes a while, under the Lease; an `early` one a host, reserved besides."""

    id: StepId
    takes_s: float
    machine: Machine
    lease: HouseLease
    house: set[str]
    tally: Tally
    early: bool = False
    needs: tuple[str, ...] = ()
    system = "cluster"
    ready_s = 60.0
    sight_s = 30.0

    @property
    def title(self) -> str:
        return self.id

    def probe(self, look: object) -> Probe:
        return satisfied("done") if self.id in self.house else missing("not done")

    def apply(self, act: object, seen: Probe, notes: Notes) -> None:
        machine, acts = self.machine, self.machine.api.pools.acts
        began: float | None = None
        try:
            with (self.lease.held_with_hosts if self.early else self.lease.held)(self.id):
                began = machine.real.monotonic()
                self._begun(began)
                acts[machine.name] = acts.get(machine.name, 0) + self.early
                machine.sleep(self.takes_s)
                acts[machine.name] -= self.early
                self.house.add(self.id)
        except OurError:
            self.tally.counts["lost in flight"] += began is not None
            raise
        if not self.early and machine.api.taken_by_another(machine.name, began):
            self.tally.no("unnoticed", f"{machine.name} ended {self.id}, begun at {began:.0f}")

    def _begun(self, at: float) -> None:
        """Nobody else may have what excludes, nor be at a host."""
        name, api, tally = self.machine.name, self.machine.api, self.tally
        tally.counts["begun"] += 1
        tally.counts["begun before an API server answered"] += at < api.served_at
        late = not api.pools.held_by(name) if self.early else api.held is None or api.held.holder != name
        if late:
            tally.no("late", f"{name} began {self.id} at {at:.0f}: Lease {api.held}, pools {api.pools.comments}")
        if self.early and any(count for other, count in api.pools.acts.items() if other != name):
            tally.no("overlap", f"{name} began {self.id} at {at:.0f}, while the other was at a host")

    def by_hand(self) -> str:
        return "change it"


def schedule(random: Random) -> tuple[tuple[float, float], ...]:
    """When something goes on, by real seconds: some few times a day, for up to ten minutes."""
    times = []
    at = 1000.0
    while (at := at + random.uniform(50.0, 1500.0)) < 1000.0 + DAY_S:
        end = at + random.choice((15.0, 45.0, 65.0, 75.0, 150.0, 600.0))
        times.append((at, end))
        at = end
    return tuple(times)


class Play:
    """One schedule: two machines that run until everything is done."""

    def __init__(
        self, seed: int, folder: Path, tally: Tally, *, stands_still: bool = False, dark: bool = False, reserving: bool = True
    ) -> None:
        self.early, self.reserving = EARLY if dark else 0, reserving
        random = Random(seed)
        self.clock, self.folder, self.tally, self.random = VirtualClock(seed), folder, tally, random
        self.api, self.house = Api(self.clock, served_at=1000.0 + random.uniform(0.0, DAY_S / 2) if dark else 0.0), set[str]()
        self.killed: set[str] = set()
        self.takes = [random.choice((2.0, 20.0, 90.0, 300.0)) for _ in range(STEPS)]
        self.machines = [
            Machine(
                name, self.clock, self.api, random.uniform(-300, 300), random.uniform(0, 1e6), schedule(random), schedule(random),
                schedule(random), stands_still,
            )
            for name in ("a", "b")
        ]  # fmt: skip
        self.left = len(self.machines)

    def go(self) -> None:
        """Play it to its end."""
        for machine in self.machines:
            self.clock.workers().start(partial(self._lives, machine))
        while self.left:
            self.clock.sleep(100.0)
        self.clock.bury()
        self.tally.counts["all done"] += len(self.house) == STEPS

    def _lives(self, machine: Machine) -> None:
        machine.sleep(self.random.uniform(0.0, 60.0))
        expected: set[str] = set()
        for life in range(LIVES):
            expected, done = self._live(machine, life, expected)
            if done:
                break
            machine.sleep(self.random.uniform(1.0, 200.0))
        self.left -= 1

    def _live(self, machine: Machine, life: int, expected: set[str]) -> tuple[set[str], bool]:
        """One run; answers what it left in flight, and whether all is done."""
        self.killed.discard(machine.name)
        hosts = RunsHosts(machine, self.api.pools, life)
        reserved = HostsReserved(hosts, machine)  # type: ignore[arg-type]  # what of Proxmox it takes
        lease = HouseLease(machine, machine.name, machine, machine.workers(), reserved if self.reserving else None)  # type: ignore[arg-type]  # a cluster with the Lease alone
        lift = LiftReservation(replace(a_house(), id=HOUSE_ID))
        items: list[Any] = [lift] if self.early else []
        items += [
            Change(StepId(f"cluster.change/{n}"), takes, machine, lease, self.house, self.tally, n < self.early,
                   needs=(f"cluster.change/{n - 2}",) if n > 1 else (lift.id,) if self.early else ())
            for n, takes in enumerate(self.takes)
        ]  # fmt: skip
        ports = SimpleNamespace(proxmox=hosts, clock=machine)
        seen: list[events.Event] = []
        folder = self.folder / machine.name
        with open_journal(folder, lineage="house", run=f"{machine.name}-{life}", now=machine.now) as journal:
            report = run(
                Graph(items), ports, ports, journal=journal, clock=machine, workers=machine.workers(), sink=seen.append,
                approval=self._consent(machine, lift, ports),
            )  # fmt: skip
        self.tally.counts["runs"] += 1
        named = {str(event.step) for event in seen if isinstance(event, events.OpenBegin)}
        self.tally.counts["named by the next run"] += len(named & expected)
        for step in expected - named:
            self.tally.no("unnamed", f"{machine.name} left {step} in flight, and its next run says nothing of it")
        busy = [line.id for line in report.steps if isinstance(line.error, JournalBusy) and line.tries]
        left = set(read_state(folder, lineage="house").in_flight)
        for step in set(map(str, busy)) - left:
            self.tally.no("closed", f"{machine.name} closed the begin of {step}, during which another took the Lease")
        self.tally.counts["kept out by a reservation"] += bool(self.early) and isinstance(report[lift.id].error, ApprovalMissing)
        if self.random.random() < KILLED:
            self.killed.add(machine.name)
            self.tally.counts["killed"] += 1
            return left, report.converged
        try:
            lease.drop()
        except OurError:
            self.tally.counts["not given back"] += 1
        return left, report.converged

    def _consent(self, machine: Machine, lift: LiftReservation, ports: Any) -> Approval | None:
        """What a person says who knows that the other machine's run is dead."""
        if not self.early or not self.killed - {machine.name}:
            return None
        made = plan(Graph([lift]), ports)
        if not made.acts:
            return None
        self.tally.counts["lifted by consent"] += 1
        return approve(made.digest, acts=made.acts, plan_digest=made.digest, journalled=(), now=machine.now(), valid_s=60.0)


def played(seeds: Iterable[int], *, stands_still: bool = False, reserving: bool = True, until: str = "") -> Tally:
    """The schedules of these seeds, each once over a cluster that stands and once over a house that is dark; at most `until` one
    of that kind was counted.

    Two ways that must be seen to be wrong: `stands_still`, with the clock that a suspension stops, and without `reserving` hosts.
    """
    tally = Tally()
    for seed, dark in product(seeds, (False, True)):
        if tally.counts[until]:
            break
        with tempfile.TemporaryDirectory() as folder:
            Play(seed, Path(folder), tally, stands_still=stands_still, dark=dark, reserving=reserving).go()
    return tally


def main(seeds: int) -> int:
    """Print the table; 0 when nothing in it is wrong."""
    tally, out = played(range(seeds)), sys.stdout
    out.write(f"{seeds} schedules of two machines, each over a cluster that stands and over a house that is dark\n")
    for kind in KINDS:
        out.write(f"{kind:<24}{tally.counts[kind]:>8}\n")
    out.writelines(f"{line}\n" for line in tally.wrong[:20])
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
