"""SIGKILL from outside at random moments of a bootstrap: half the time the process alone, half the time its whole group."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.crash.wire import outside
from tests.crash.wire.bench import Bench, Ended
from tests.crash.wire.faults import Moment

# The last items of a bootstrap are Flux, which takes as long as all others together, and what waits for it: no kill that comes
# so many items and seconds before is too late.
_LAST, _AFTER_S = 4, 3.0


@dataclass(frozen=True)
class Killed:
    """One bootstrap that was killed once, and what came of it. Times in seconds."""

    at_s: float
    group: bool
    killed: Ended
    resumed: Ended
    wrongs: list[str]


def late_moments(bench: Bench, seed: int, times: int) -> list[Moment]:
    """So many moments in the second half of a bootstrap, ever further on: there the cluster is, and no wire door plays faults."""
    draw = Random(seed)
    items = int(bench.run("cluster.plan", "--offline").result["counts"]["steps"])
    return [(after, draw.uniform(0.0, _AFTER_S)) for after in sorted(draw.sample(range(items // 2, items - _LAST), times))]


def kill_once(bench: Bench, seed: int, number: int, length_s: float) -> Killed:
    """Lose everything, bootstrap, kill that at a moment of its `length_s` seconds, bootstrap once more, look from outside.

    The moment comes from seed and number alone, so that any one of a row can be had again; each second kill takes the group.
    """
    draw, group = Random(f"{seed}/{number}"), number % 2 == 0
    while True:
        bench.lose_everything()
        at = draw.uniform(0.0, length_s)
        killed = bench.begin("cluster.bootstrap").kill_at(0, at, group)
        if killed.code == -9:
            break  # else it was over before: drawn again
    resumed = bench.converge("cluster.bootstrap", tries=1)
    return Killed(at, group, killed, resumed, outside.wrongs(bench))
