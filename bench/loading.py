"""How long a repository of many Kustomizations takes to read: with nothing kept and with all kept, beside kubectl kustomize alone.

Run it with `python -m bench.loading`; the repository of 246 Kustomizations is generated.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adapters.kustomize.adapter import Kubectl
from bench.many_apps import write
from bench.table import Table
from house.flux.building import Builder
from house.repository.whole import Repository, read_repository
from tools.errors import ProgramMissing
from tools.locate import need

KUSTOMIZATIONS = 246
COLD_S, WARM_S = 15.0, 1.5


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall, and seconds of processors that we and what we started used."""
    began, used = time.perf_counter(), _processors()
    act()
    return time.perf_counter() - began, _processors() - used


def _processors() -> float:
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def alone(kubectl: Kubectl, folders: Sequence[Path]) -> None:
    """Every folder built and its text thrown away, as many at once as there are processors."""
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(kubectl.build, folders))


def main() -> int:
    """Measure, tell, and answer the exit code."""
    try:
        program = need("kubectl")
    except ProgramMissing as error:
        print(f"skipped: {error}")
        return 0
    kubectl = Kubectl(lambda: program)
    with tempfile.TemporaryDirectory() as made:
        root = Path(made) / "house"
        folders = write(root, KUSTOMIZATIONS)
        builder, read = Builder(kubectl, Path(made) / "kept"), list[Repository]()
        cold, cold_used = timed(lambda: read.append(read_repository(root, builder)))
        warm, warm_used = timed(lambda: read.append(read_repository(root, builder)))
        bare, bare_used = timed(lambda: alone(kubectl, [root / folder for folder in folders]))
    if any(len(one.apps) != KUSTOMIZATIONS or one.unread for one in read):
        print(f"not all was read: {len(read[0].apps)} of {KUSTOMIZATIONS} Kustomizations, {read[0].unread[:3]}")
        return 1
    table = Table("loading")
    note = f"{KUSTOMIZATIONS} Kustomizations, {os.cpu_count()} processors"
    table.add("kubectl kustomize alone", bare, "s", note=f"{bare_used:.1f} s of processors; {note}")
    table.add("loaded, nothing kept", cold, "s", COLD_S, f"{cold_used:.1f} s of processors")
    table.add("loaded, all kept", warm, "s", WARM_S, f"{warm_used:.1f} s of processors")
    table.add("nothing kept / alone", cold_used / bare_used, "x", note="by processors")
    return table.tell()


if __name__ == "__main__":
    sys.exit(main())
