"""Which tests go with what was changed since HEAD (or a named revision): `python -m tests.changed [REVISION]` prints their paths.

The test tree mirrors the code: what changed in `house/` is tested in `tests/house/`. Where a changed folder has no tests of its
own, its nearest parent's are taken. The rules of the structure are always among them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = ("tests/architecture",)


def changed(revision: str = "HEAD") -> tuple[str, ...]:
    """Paths that differ from the revision, and those that git does not know yet."""
    asked = (["git", "diff", "--name-only", revision, "--"], ["git", "ls-files", "--others", "--exclude-standard"])
    told = (subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout for argv in asked)
    return tuple(line for text in told for line in text.splitlines())


def mirrored(paths: Iterable[str], root: Path = ROOT) -> tuple[str, ...]:
    """The tests for these paths: a test file itself, and for code the file or folder of its name under tests/."""
    found = dict.fromkeys(ALWAYS)
    for path in map(Path, paths):
        if path.suffix != ".py":
            continue
        if path.parts[0] == "tests":
            if path.name.startswith("test_") and (root / path).exists():
                found[str(path)] = None
            continue
        own = Path("tests", path.parent, f"test_{path.name}")
        if (root / own).exists():
            found[str(own)] = None
        for folder in Path("tests", path.parent), *Path("tests", path.parent).parents:
            if folder.parts[1:] and (root / folder).is_dir():
                found[str(folder)] = None
                break
    return tuple(path for path in found if not any(str(parent) in found for parent in Path(path).parents))


if __name__ == "__main__":
    sys.stdout.write(" ".join(mirrored(changed(*sys.argv[1:2]))) + "\n")
