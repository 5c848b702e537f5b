"""What is there to be run by hand is run by a target of the Makefile too."""

from __future__ import annotations

from pathlib import Path

from tests.prove import PROOFS

ROOT = Path(__file__).resolve().parents[2]


def test_make_bench_runs_every_benchmark() -> None:
    benches = {path.stem for path in (ROOT / "bench").glob("*.py") if '__name__ == "__main__"' in path.read_text(encoding="utf-8")}
    target = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nbench:")[2].partition("\n\n")[0]
    assert benches
    assert [name for name in sorted(benches) if f"bench.{name}" not in target] == []


def test_every_test_is_in_exactly_one_part_of_make_test() -> None:
    target = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntest:")[2].partition("\n\n")[0]
    parts = [line.strip("; \\").partition(" ")[2] for line in map(str.strip, target.splitlines()) if line.startswith("part ")]
    assert parts == [
        "types .venv/bin/mypy",
        'light turns "not programs" tests/crash "$(VERBS)" $(TOOLS)',
        'inputs turns "not programs" "$(INPUTS)" "$(patsubst %,--ignore=%,tests/crash $(INPUTS) $(VERBS) $(TOOLS))"',
        'programs turns "programs and not houses and not long" "$(PORTS)" "$(PORTS:%=--ignore=%)"',
    ]  # fmt: skip
    assert 'run -m "$$mark" $$paths' in target
    assert 'run -m "houses and not long" 2>&1' in target
    assert any(proof.module == "tests.long" for proof in PROOFS)
