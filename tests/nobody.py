"""Being somebody to whom modes mean something: root may open everything, and most tests in a container are root's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

NOBODY = 65534


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that somebody else than root can come to, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """All in this folder is nobody's, and so are we; who is not root stays who it is."""
    if os.geteuid() != 0:
        yield
        return
    import_module("ctypes")  # late, elsewhere: root's Python may lie where nobody else can read
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
