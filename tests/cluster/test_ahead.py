"""What a plan of a house that stands asks, and how often: each look beyond this is a program, a request or a handshake more.

Whoever asks something new says so here, and that it is needed; `python -m bench.looks` measures what it costs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.remembering import remembering
from adapters.surface import surfaces
from cluster.ahead import ask_ahead
from engine.errors import TransientError
from engine.plan import Planned, plan
from engine.verify import verify
from engine.workers import Threads, Workers
from tests.adapters.test_remembering import Asked
from tests.scenario.running import Running

# Looks that start programs, of a house of four nodes and four releases, by port.
PROGRAMS = {
    # `phase` is a handshake of ours. `etcds` are two programs, the others one each, however many nodes there are.
    "talos": {"phase": 4, "client_version": 1, "machines": 1, "applied_digests": 1, "versions": 1, "clocks": 1, "etcds": 1},
    "machineconfigs": {"age_key_problem": 1, "bundle_problem": 1},
    "releases": {"chart_problem": 4, "releases": 1, "deployed_digest": 4, "desired_digest": 4},
    "clone": {"state": 1, "commit": 1},
}
# Looks at files, and at what a program has told already.
FREE = frozenset({"crds_of", "kinds_of", "hook_problem", "rendered_from", "wanted", "digest", "kubeconfig_ok"})
# Looks that are requests, to Proxmox and to the cluster.
REQUESTS = {
    "proxmox": {
        "missing_privileges": 2, "cluster": 1, "vms": 1, "reservation": 1, "hosts": 1, "running_tasks": 1,
        "storages": 4, "images": 4,
    },
    "cluster": {"api_servers": 1, "namespaces": 4, "crds": 2, "secret_matches": 1, "nodes": 1},
    "flux": {"state": 1},
    "hold": {"record": 1, "policies_missing": 1, "refusals": 1},
}  # fmt: skip


def counted(house: Running) -> tuple[Any, dict[str, Asked]]:
    """The views of the house, and those that count in them."""
    look = house.home.look()
    asked = {name: Asked(getattr(look, name)) for name in surfaces()}
    views: dict[str, Any] = dict(asked)
    return replace(look, **views), asked


def test_a_plan_asks_no_more_than_this(tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path)
    look, asked = counted(house)
    workers: Workers = house.clock.workers()
    seen = remembering(look, workers)
    ask_ahead(seen, house.house, workers, [])
    assert plan(house.bootstrap.graph(), seen, workers=workers, at_once=16).changes == ()
    counts = {port: {look: many for look, many in door.counts.items() if look not in FREE} for port, door in asked.items()}
    assert {port: counts[port] for port in PROGRAMS} == PROGRAMS
    assert {port: counts[port] for port in REQUESTS} == REQUESTS


def test_verify_asks_each_thing_of_all_nodes_together_too(tmp_path: Path) -> None:
    from console.verbs.cluster.verify import with_systems

    house = Running.bootstrapped(tmp_path)
    look, asked = counted(house)
    seen, whole = with_systems(house.house, look, house.bootstrap, [])
    report = verify(whole.graph(), seen, workers=Threads(), at_once=16, clock=house.clock)
    assert report.steps
    assert asked["talos"].counts == PROGRAMS["talos"]


def test_where_nothing_stands_a_plan_says_the_same_as_without_it(tmp_path: Path) -> None:
    house = Running(tmp_path)
    workers = house.clock.workers()
    seen = remembering(house.home.look(), workers)
    ask_ahead(seen, house.house, workers, [])
    house.clock.sleep(60.0)
    graph = house.bootstrap.graph()
    assert plan(graph, seen, workers=workers) == house.plan(house.bootstrap)


def test_a_cluster_that_is_silent_is_told_by_its_rows(tmp_path: Path) -> None:
    def silent() -> None:
        raise TransientError("nobody answers")

    house = Running.bootstrapped(tmp_path)
    look = house.home.look()
    views: dict[str, Any] = {"cluster": Asked(look.cluster, silent), "hold": Asked(look.hold, silent)}
    workers = house.clock.workers()
    seen = remembering(replace(look, **views), workers)
    ask_ahead(seen, house.house, workers, [])
    made = plan(house.bootstrap.graph(), seen, workers=workers)
    assert made["kubernetes.api-servers"].verdict is not Planned.NOOP
