"""SIGKILL from outside at random moments of a bootstrap: half the time the process alone, half the time its whole group."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.crash.wire import outside
from tests.crash.wire.bench import Bench, Ended

# How long after an item of the course a kill comes at most: the last item, Flux, takes as long as all others together.
_AFTER_S = 8.0


@dataclass(frozen=True)
class Killed:
    """One bootstrap that was killed once, and what came of it. Times in seconds."""

    at_s: float
    group: bool
    killed: Ended
    resumed: Ended
    wrongs: list[str]


def kills_of_one(bench: Bench, seed: int, times: int) -> list[Ended]:
    """Kill one and the same bootstrap so often, ever further on; the runs as they ended. Moments go by what has been done.

    A run that ended before its kill came is among them too: nobody can be early enough for each.
    """
    draw = Random(seed)
    items = int(bench.run("cluster.plan", "--offline").result["counts"]["steps"])
    moments = sorted(draw.sample(range(items), times))
    return [
        bench.begin("cluster.bootstrap").kill_at(after, draw.uniform(0.0, _AFTER_S), group=number % 2 == 1)
        for number, after in enumerate(moments)
    ]


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
