"""What a look at the pools of one of OpenEBS's engines comes to. Pure: no port, no clock."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.csi.results import Pool
from cluster.storage.findings import Finding, Weight, fine

_GIB = 1 << 30
_FILLING = 0.1
_GET = {"zfs": "kubectl get zfsnodes -A -o yaml", "lvm": "kubectl get lvmnodes -A -o yaml", "mayastor": "kubectl get diskpools -A"}
DEGRADED = "Degraded"


def pools(engine: str, found: tuple[Pool, ...], wanted: str = "") -> Iterator[Finding]:
    """Those of this engine, `wanted` alone where a class names it ("" for any)."""
    of_it = [pool for pool in found if not wanted or pool.name == wanted]
    if not of_it:
        told = f"there is no pool {wanted}" if wanted else "there is no pool"
        yield Finding("pools", Weight.BLOCKS, f"{told}: a volume finds no place", command=_GET[engine])
    for pool in of_it:
        yield from _pool(pool, _GET[engine])
    if of_it and all(pool.free == 0 for pool in of_it):
        yield Finding("room", Weight.BLOCKS, "no pool has a byte free", command=_GET[engine])


def _pool(pool: Pool, command: str) -> Iterator[Finding]:
    part = f"pool {pool.name} on {pool.node or 'no node'}"
    if pool.well is False:
        weight = Weight.NOTED if pool.state == DEGRADED else Weight.BLOCKS
        yield Finding(part, weight, f"is {pool.state}", pool.state, hint="look at its disks", command=command)
    elif pool.well is None and pool.engine == "mayastor":
        yield Finding(part, Weight.UNKNOWN, "says nothing of itself", command=command)
    elif pool.free is None:
        yield Finding(part, Weight.NOTED, "how much is free is not told", command=command)
    elif pool.size and pool.free < _FILLING * pool.size:
        yield Finding(part, Weight.NOTED, f"{pool.free / _GIB:.1f} of {pool.size / _GIB:.1f} GiB are free", command=command)
    else:
        yield fine(part, f"{pool.free / _GIB:.1f} GiB are free")
