"""Whether a folder is where a share should be mounted, and is not: told by the devices and by the machine's own table.

A mount point that nothing is mounted on looks like an empty folder. Nothing is known about what would be there.
"""

from __future__ import annotations

import os
from pathlib import Path

FSTAB = Path("/etc/fstab")
_IGNORED = {"none", "swap", "/"}


def not_mounted(path: Path, *, suspicious: bool = False, fstab: Path = FSTAB) -> str:
    """Why what is at `path` is not to be believed, "" when nothing speaks against it.

    Any mount point of the table on the way to it counts. With `suspicious` an empty folder of its own does too: one on the
    device of its parent is what a share leaves behind that is not mounted.
    """
    for point in (path, *path.parents):
        if str(point) in _points(fstab) and not os.path.ismount(point):
            return f"{point} is in {fstab} and is not mounted: `mount {point}`"
    if suspicious and not any(path.iterdir()) and path.stat().st_dev == path.parent.stat().st_dev:
        return f"the folder {path} is empty, and on the same disk as {path.parent}: is a share to be mounted there?"
    return ""


def _points(fstab: Path) -> frozenset[str]:
    try:
        lines = fstab.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    fields = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    points = {parts[1].replace("\\040", " ") for parts in fields if len(parts) > 1}
    return frozenset(points - _IGNORED)
