"""Where the lab finds the programs it runs. Knows no flags of theirs, and builds nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from lab.parts.errors import ProgramMissing

CHECKOUT = Path(__file__).resolve().parents[2]
BUILT = CHECKOUT / ".tools" / "bin"


def find(name: str) -> Path:
    """The program's path: `.tools/bin` first (its version is pinned), then PATH. ProgramMissing when there is none."""
    built = BUILT / name
    if os.access(built, os.X_OK):
        return built
    found = shutil.which(name)
    if found is None:
        raise ProgramMissing(
            f"the lab needs the program {name}",
            evidence=(f"not in {BUILT.relative_to(CHECKOUT)}, not on PATH",),
            hint="it is built from the modules in tools/go",
            next_command="invoke tools.build",
        )
    return Path(found)


def missing(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names` that cannot be found."""
    return tuple(n for n in names if not os.access(BUILT / n, os.X_OK) and shutil.which(n) is None)


@cache
def module_folder(group: str, module: str) -> Path:
    """The folder of a Go module as tools/go/<group> pins it, in Go's module cache (its CRDs and roles are read there).

    PermanentError (ProgramMissing) when Go is absent or the module was not fetched yet.
    """
    go = shutil.which("go")
    if go is None:
        raise ProgramMissing("the lab reads CRDs from Go's module cache, and there is no Go", hint="install Go 1.26 or newer")
    listed = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", module],
        cwd=CHECKOUT / "tools" / "go" / group,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    folder = listed.stdout.strip()
    if listed.returncode or not folder:
        raise ProgramMissing(
            f"the Go module {module} is not in the module cache",
            evidence=tuple(listed.stderr.splitlines()[-3:]),
            next_command="invoke tools.build",
        )
    return Path(folder)
