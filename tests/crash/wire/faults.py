"""A fixed-seed sample of faults at the mutations that go over a wire, armed in a running house; deaths are real SIGKILLs.

The wire doors that play faults are Proxmox's, Talos's and the S3 store's. Mutations of Kubernetes (namespaces, Secrets, the hold,
releases, pins) go to a real API server, which nobody can tell to lose a reply: they have no such door, and are met by the
in-process matrix (tests/crash/house/test_house.py) and by kills at random moments (kills.py) alone. Nor does the tool itself write
to the store: what meets faults there are the movers that it waits for, and a death there kills the tool while they are at it.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random

from lab.houses.nouns import HouseShape
from lab.world.faults import Fault
from tests.crash.wire.bench import Bench, Ended, NotConverged

# The first list leaves the act undone, so that the tool has to come back to the same mutation; the second does not.
UNDONE = (Fault.DIE_BEFORE, Fault.ERROR_TWICE)
# After a lie the tool waits for what it was told as long as for the slowest real house: 5 minutes as a rule, 15 for a VM. On the
# virtual clock of the in-process matrix that costs nothing, and every lie is told there; here the two shortest, if asked for.
LIARS = ("proxmox.grow_disk/", "talos.fetch_kubeconfig/")
DONE = (Fault.DIE_AFTER, Fault.DIE_DURING, Fault.LOSE_REPLY, Fault.SLOW)
Moment = tuple[int, float]
"""When a run is killed: so many seconds after so many of its checks and steps have ended."""
DEATHS = frozenset({Fault.DIE_BEFORE, Fault.DIE_DURING, Fault.DIE_AFTER})
_TOO_LONG = 4  # so many runs without a death or an end in between: it will never converge


@dataclass(frozen=True)
class Point:
    """One fault at one mutation, e.g. `proxmox.create_vm/8001#3`."""

    at: str
    fault: Fault


def mutations(shape: HouseShape, prefix: str) -> tuple[str, ...]:
    """Every mutation of a bootstrap that has a wire door, without its count. `prefix`: of the house's addresses."""
    first = next(node for node in shape.nodes if node.control_plane)
    found = ["proxmox.reserve/"]
    for node in shape.nodes:
        found += [f"proxmox.download_image/{node.host}", f"talos.apply_config/{node.name}"]
        found += [f"proxmox.{method}/{node.vm_id}" for method in ("create_vm", "grow_disk", "start_vm")]
    address = f"{prefix}.{10 + first.number}"
    return (*found, f"talos.bootstrap_etcd/{address}", f"talos.fetch_kubeconfig/{address}")


def stacked(mutation: str, faults: Iterable[Fault]) -> list[Point]:
    """The faults one after the other at the same mutation: each strikes when the tool comes back to it.

    All but the last must be of UNDONE, since after an act that was done nobody comes back.
    """
    points, count = [], 1
    for fault in faults:
        points.append(Point(f"{mutation}#{count}", fault))
        count += 2 if fault is Fault.ERROR_TWICE else 1
    return points


def sample(shape: HouseShape, prefix: str, seed: int, *, deaths: int | None = None, lies: bool = False) -> list[Point]:
    """At every mutation all of UNDONE, in an order that is drawn, then one of DONE; with `lies` one of those too at LIARS.

    `deaths`: die before the act at so many mutations only, which are drawn: each death costs a whole preflight.
    """
    draw = Random(seed)
    names = list(mutations(shape, prefix))
    last = [DONE[n % len(DONE)] for n in range(len(names))]
    draw.shuffle(last)
    deadly = set(names if deaths is None else draw.sample(names, deaths))
    points = []
    for name, end in zip(names, last, strict=True):
        undone = [fault for fault in UNDONE if name in deadly or fault not in DEATHS]
        undone += [Fault.LIE_ONCE] if lies and name.startswith(LIARS) else []
        draw.shuffle(undone)
        points += stacked(name, (*undone, end))
    return points


STORE = (
    Point("s3.put_object/*/locks/*#1", Fault.LOSE_REPLY),
    Point("s3.put_object/*/locks/*#1", Fault.SLOW),
    Point("s3.put_object/*/data/*#1", Fault.ERROR_TWICE),
    Point("s3.put_object/*/index/*#1", Fault.LOSE_REPLY),
    Point("s3.put_object/*/data/*#3", Fault.LOSE_REPLY),
    Point("s3.put_object/*/data/*#4", Fault.SLOW),
    Point("s3.put_object/*/index/*#2", Fault.ERROR_TWICE),
    Point("s3.put_object/*/index/*#4", Fault.SLOW),
    Point("s3.put_object/*/snapshots/*#1", Fault.DIE_AFTER),
    Point("s3.put_object/*/snapshots/*#2", Fault.LOSE_REPLY),
    Point("s3.put_object/*/snapshots/*#3", Fault.SLOW),
    Point("s3.delete_object/*/locks/*#1", Fault.LOSE_REPLY),
    Point("s3.delete_object/*/locks/*#1", Fault.DIE_BEFORE),
)
"""What a restore and its first backup meet at the store, in the order of arming."""


@dataclass
class Struck:
    """How a verb came through its faults."""

    armed: list[Point]
    runs: list[Ended]
    struck: Counter[tuple[str, str]]
    killed: int

    @property
    def deaths(self) -> int:
        """Runs that were ended by SIGKILL, `killed` of them from outside, at no fault's point."""
        return sum(run.code == -signal.SIGKILL for run in self.runs)

    @property
    def missed(self) -> list[Point]:
        """Points that no run came by."""
        return [point for point in self.armed if not any(_fits(point, at, fault) for at, fault in self.struck)]

    def __str__(self) -> str:
        kinds = Counter(fault for _, fault in self.struck.elements())
        told = ", ".join(f"{count} {fault}" for fault, count in sorted(kinds.items()))
        return f"{len(self.armed)} points, {self.deaths} deaths in {len(self.runs)} runs, {len(self.missed)} missed ({told})"


def through(
    bench: Bench, points: list[Point], verb: str, *arguments: str, good: tuple[int, ...] = (0, 6), moments: Sequence[Moment] = ()
) -> Struck:
    """Arm the points, then run the verb again and again until it ends well; every death ends the run that is at it.

    Besides, a run is killed from outside at each of `moments`, as far as it comes. Every second death takes the run's whole
    group. NotConverged when runs fail that neither a fault nor a kill had struck.
    """
    for point in points:
        bench.ask("arm", at=point.at, fault=point.fault.value)
    before, idle = len(bench.ask("faults")["struck"]), 0
    runs: list[Ended] = []
    kills = list(moments)
    while True:
        told = bench.ask("faults")
        running, group = bench.begin(verb, *arguments), len(runs) % 2 == 1
        bench.ask("victim", pid=running.process.pid, group=group)
        ended = running.kill_at(*kills[0], group) if kills else running.end()
        runs.append(ended)
        if ended.code in good:
            break
        now = bench.ask("faults")
        struck = now["struck"]
        if kills and ended.code == -signal.SIGKILL and len(now["deaths"]) == len(told["deaths"]):
            kills.pop(0)
        idle = idle + 1 if len(struck) == len(told["struck"]) else 0
        if ended.code not in (-signal.SIGKILL, 30) or idle == _TOO_LONG:
            raise NotConverged(f"run {len(runs)} of {verb} ended with {ended.code}: {ended.failures}; struck: {struck[-5:]}")
    happened = bench.ask("faults")["struck"][before:]
    return Struck(points, runs, Counter((one["at"], one["fault"]) for one in happened), len(moments) - len(kills))


def _fits(point: Point, at: str, fault: str) -> bool:
    return fault == point.fault.value and fnmatchcase(at, point.at)
