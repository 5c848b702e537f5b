"""What a plan of a house that stands costs, against nothing but the programs that it has to start.

Run it with `python -m bench.looks [FOLDER]`: FOLDER is a four-node house of the lab that was bootstrapped; without one it brings
one up, which takes minutes. Both are played in turns: whatever else the machine does strikes both. Needs the lab's programs.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.bootstrap import house
from bench.table import Table
from console.demo.driving import Driver
from engine.errors import EXIT_HELD, EXIT_OK
from engine.text.jsontext import an_object, read_file
from house.loader import load
from house.model import House
from lab.houses.building import builder
from lab.houses.nouns import HouseFolder
from tools.places import Places

TURNS = 3
AT_ONCE = 8
PLAN_S, VERIFY_S = 5.0, 10.0
# A plan imports its clients, asks Proxmox, Kubernetes, Git and the stores, and minds each program. Above this it asks too often.
MOST_TIMES_BARE = 3.0
Command = Sequence[str]


def spent(what: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall, and CPU seconds of all programs that it started."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    what()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(made: House, charts: str, authority: Path, scratch: Path) -> list[list[Command]]:
    """What nobody can be spared who asks the same by hand: in each chain one after another, the chains side by side."""
    talosconfig = made.state_dir / "machineconfigs" / "talosconfig"
    masters = [node.address for node in made.nodes if node.control_plane]

    def asked(addresses: Sequence[str], *words: str) -> Command:
        """One talosctl asks any number of nodes, by way of the control planes."""
        through = ("--endpoints", ",".join(masters), "--nodes", ",".join(addresses))
        return ("talosctl", *words, "--talosconfig", str(talosconfig), *through)

    every = [node.address for node in made.nodes]
    kinds = (("machinestatuses.runtime.talos.dev", "machine"), ("machineconfigs.config.talos.dev", "v1alpha1"),
             ("versions.runtime.talos.dev", "version"))  # fmt: skip
    found: list[list[Command]] = [[asked(every, "get", *kind, "--output", "json")] for kind in kinds]
    found += [[asked(every, "time")], [asked(masters, "service", "etcd"), asked(masters, "etcd", "members")]]
    for file in filter(None, (made.crd_helmfile, made.helmfile)):
        values = str(scratch / "{{ .Release.Namespace }}_{{ .Release.Name }}")
        of = ("helmfile", "--file", str(file))
        found.append([(*of, "list", "--output", "json"), (*of, "write-values", "--skip-deps", "--output-file-template", values)])
    where = ("--repo", charts, "--ca-file", str(authority), "--version")
    return found + [[("helm", "show", "chart", release.name, *where, release.version)] for release in made.releases]


def bare(chains: Sequence[Sequence[Command]], environment: dict[str, str]) -> None:
    """Start them all; the first that fails ends the bench."""

    def chain(links: Sequence[Command]) -> None:
        for link in links:
            subprocess.run(link, env=environment, check=True, capture_output=True, timeout=120)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(chain, chains))


def verb(folder: HouseFolder, name: str) -> None:
    """One verb that must find all in order, but for what is held."""
    ended = Driver(folder.settings).run(name)
    if ended.code not in (EXIT_OK, EXIT_HELD):
        raise RuntimeError(f"{name} ended with {ended.code}: {ended.result.get('outcome')}")


def measure(folder: HouseFolder) -> int:
    """Tell, and answer the exit code."""
    made = load(folder.settings, builder())
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        told = read_file(folder.endpoints, an_object)
        chains = commands(made, str(told["charts"]["url"]), Path(str(told["ca_file"])), Path(name))
        environment = {"PATH": f"{Places().programs}:{os.environ['PATH']}", "HOME": name, "HELMFILE_UPGRADE_NOTICE_DISABLED": "1"}
        turns = [(spent(partial(bare, chains, environment)), spent(partial(verb, folder, "cluster.plan"))) for _ in range(TURNS)]
        verified = [spent(partial(verb, folder, "cluster.verify")) for _ in range(TURNS)]
    table = Table("looks")
    programs = sum(map(len, chains))
    middle = statistics.median
    table.add("the bare programs", middle(bare[0] for bare, _ in turns), "s", note=f"{programs} of them, {AT_ONCE} at once")
    table.add("cluster.plan", middle(plan[0] for _, plan in turns), "s", PLAN_S, "after its bootstrap")
    table.add("cluster.verify", middle(each[0] for each in verified), "s", VERIFY_S, "of everything")
    table.add("cluster.plan / bare, by the wall", middle(plan[0] / bare[0] for bare, plan in turns), "x")
    table.add("cluster.plan / bare, by CPU", middle(plan[1] / bare[1] for bare, plan in turns), "x", MOST_TIMES_BARE)
    return table.tell()


def main(given: str) -> int:
    """Measure in the house that is given, or in one of its own."""
    if given:
        return measure(HouseFolder(Path(given)))
    with house(20.0) as folder:
        ended = Driver(folder.settings).run("cluster.bootstrap")
        if ended.code not in (EXIT_OK, EXIT_HELD):
            raise RuntimeError(f"cluster.bootstrap ended with {ended.code}")
        return measure(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
