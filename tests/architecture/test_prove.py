"""What takes long is run to its end, and never called green when it was not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prove import ABSENT, PROOFS, ROOT, Green, Line, Proof, last_green, main, run, table, tree

FIRST, SECOND, THIRD = (Proof(name, f"what {name} says", f"tests.{name}") for name in ("first", "second", "third"))


def test_one_that_fails_keeps_no_other_from_running_and_is_not_kept_as_green(tmp_path: Path) -> None:
    codes = {FIRST: 0, SECOND: 3, THIRD: 0}
    lines, interrupted = run((FIRST, SECOND, THIRD), tmp_path / "proven", codes.__getitem__)
    assert not interrupted
    assert [line.code for line in lines] == [0, 3, 0]
    assert [line.green is not None for line in lines] == [True, False, True]
    assert (lines[0].green.commit, lines[0].green.changed) == tree()


def test_a_failure_does_not_hide_when_it_was_green_last(tmp_path: Path) -> None:
    run((FIRST,), tmp_path, lambda proof: 0)
    (line,), _ = run((FIRST,), tmp_path, lambda proof: -9)
    assert line.code == -9
    assert line.green == last_green(FIRST, tmp_path) is not None
    told = table([line])
    assert "FAILED (-9)" in told
    assert ", this commit, " in told


def test_one_that_had_nothing_to_run_with_is_neither_green_nor_failed(tmp_path: Path) -> None:
    (line,), _ = run((FIRST,), tmp_path, lambda proof: ABSENT)
    assert (line.code, line.green) == (ABSENT, None)
    assert "not here" in table([line])


LOOKS = "import pytest\ndef test_looks():\n    assert True\n"
BLIND = "@pytest.mark.programs\ndef test_blind():\n    pytest.skip('no program')\n"
UNASKED = BLIND.replace("@", "@pytest.mark.asked\n@")


@pytest.mark.parametrize(("tests", "code"), [(LOOKS + BLIND, ABSENT), (LOOKS + UNASKED, 0)], ids=["blind", "nobody asked"])
def test_tests_that_were_skipped_for_want_of_programs_prove_nothing(tests: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(tests)
    argv = [sys.executable, "-c", "import sys; from tests.played import played; sys.exit(played(sys.argv[1:]))", str(tmp_path)]
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, ended.stdout


def test_what_an_interruption_kept_from_running_says_so(tmp_path: Path) -> None:
    def start(proof: Proof) -> int:
        if proof == SECOND:
            raise KeyboardInterrupt
        return 0

    lines, interrupted = run((FIRST, SECOND, THIRD), tmp_path, start)
    assert interrupted
    assert [line.code for line in lines] == [0, None, None]
    assert table(lines).count("not run") == 2


def test_the_table_fits_and_says_how_old_a_green_run_is() -> None:
    green = Green(1_790_000_000.0, 61.0, "f" * 40, changed=True)
    told = table([Line(proof, None, green) for proof in PROOFS] + [Line(FIRST, 0, None)])
    assert ", ffffffffff and changes, not in history, 2 min" in told
    assert "never ran green here" in told
    assert max(map(len, told.splitlines())) <= 80


def test_what_was_kept_and_cannot_be_read_is_no_green_run(tmp_path: Path) -> None:
    (tmp_path / "first.json").write_text('{"at": 1}')
    (tmp_path / "second.json").write_text("{")
    assert last_green(FIRST, tmp_path) is None
    assert last_green(SECOND, tmp_path) is None


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_every_proof_is_there(proof: Proof) -> None:
    assert importlib.util.find_spec(proof.module) is not None


def test_a_proof_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["everything"]) == 2
    assert "There are: journal, escape" in capsys.readouterr().out
