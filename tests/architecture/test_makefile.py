"""What is there to be run by hand is run by a target of the Makefile too."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.prove import PROOFS

ROOT = Path(__file__).resolve().parents[2]


def test_make_bench_runs_every_benchmark() -> None:
    benches = {path.stem for path in (ROOT / "bench").glob("*.py") if '__name__ == "__main__"' in path.read_text(encoding="utf-8")}
    target = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nbench:")[2].partition("\n\n")[0]
    assert benches
    assert [name for name in sorted(benches) if f"bench.{name}" not in target] == []


KINDS = {(): 1, ("programs",): 1, ("programs", "houses"): 1, ("programs", "long"): 0, ("programs", "houses", "long"): 0}
"""How many parts of `make test` run a test with these marks; others than these conftest.py lets nobody write."""


@dataclass(frozen=True)
class Part:
    """One process of pytest: its `-m`, and the paths it is given, as make expands them."""

    mark: str
    words: tuple[str, ...]

    def takes(self, file: str, marks: tuple[str, ...]) -> bool:
        """Whether it runs the tests of this file that have these marks."""
        fits = all((term.removeprefix("not ") in marks) != term.startswith("not ") for term in self.mark.split(" and "))
        left_out = {word.removeprefix("--ignore=") for word in self.words if word.startswith("--ignore=")}
        given = [word for word in self.words if not word.startswith("--")]
        return fits and not is_below(file, left_out) and (not given or is_below(file, given))


def is_below(file: str, folders: Iterable[str]) -> bool:
    """Whether it is in one of them, or one of them."""
    return any(Path(file).is_relative_to(folder) for folder in folders)


def parts_of_make_test() -> Iterator[Part]:
    """All of them: `turns MARK PATHS...` are in the background, a process for each of its words; then those that are shown."""
    told = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    for line in map(str.strip, told.splitlines()):
        if line.startswith("part ") and "mypy" not in line:
            _, _, turns, mark, *all_paths = shlex.split(line.rstrip("; \\"))
            assert turns == "turns"
            yield from (Part(mark, tuple(paths.split())) for paths in all_paths)
        elif line.startswith('run -m "') and "$" not in line.partition("2>&1")[0]:
            _, _, mark, *paths = shlex.split(line.partition("2>&1")[0])
            yield Part(mark, tuple(paths))


def test_every_test_is_in_exactly_one_part_of_make_test() -> None:
    target = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntest:")[2].partition("\n\n")[0]
    assert 'run -m "$$mark" $$paths' in target, "each of the turns is run as it was read here"
    parts = list(parts_of_make_test())
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(parts) > 2 and files
    runs = {(file, marks): [part for part in parts if part.takes(file, marks)] for file in files for marks in KINDS}
    assert [key for key, found in runs.items() if len(found) != KINDS[key[1]]] == []


def test_what_make_test_leaves_out_is_a_proof() -> None:
    assert any(proof.module == "tests.long" for proof in PROOFS)
