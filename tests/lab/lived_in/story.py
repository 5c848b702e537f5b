"""How the house of this folder came to be: a bootstrap and a restore through faults at every mutation that goes over a wire."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.crash.wire import outside
from tests.crash.wire.bench import Bench
from tests.crash.wire.faults import STORE, Struck, sample, through
from tests.crash.wire.kills import late_moments

SEED = 20
DEADLY, KILLS = 1, 2
"""Mutations before which a run dies (before each of them: tests/crash/wire/soak.py), and kills from outside."""


@dataclass(frozen=True)
class Story:
    """What struck the bootstrap and the restore, and what was wrong between them when seen from outside."""

    bootstrap: Struck
    wrongs: list[str]
    restore: Struck


def lived_through(bench: Bench) -> Story:
    """Build the house and restore it. NotConverged where it cannot be done."""
    points = sample(bench.shape, prefix(bench), SEED, deaths=DEADLY)
    bootstrap = through(bench, points, "cluster.bootstrap", moments=late_moments(bench, SEED, KILLS))
    wrongs = outside.wrongs(bench)
    return Story(bootstrap, wrongs, through(bench, list(STORE), "dr.restore", good=(0,)))


def prefix(bench: Bench) -> str:
    """The block of addresses that the house has."""
    told = json.loads(bench.folder.endpoints.read_text())
    return str(told["kubernetes"]["endpoint"]).removeprefix("https://").rpartition(".")[0]
