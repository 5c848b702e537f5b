"""What is to be typed next: whole, with the words and the consent that it takes, and nothing where nothing can be typed."""

from __future__ import annotations

import ast
import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from console.ending import guarded
from console.screens.tables import plan_following
from console.verbs.dr.audit import Wanted, wanted_of
from console.verbs.dr.restore import restoring
from engine.approval import ApprovedAct
from engine.errors import PermanentError
from engine.plan import Plan, PlanLine, Planned
from engine.step import StepId

VERBS = Path(__file__).parents[3] / "console" / "verbs"

TO_DO = PlanLine(StepId("proxmox.create-vm/cp-1"), "VM", Planned.CREATE)
NO = PlanLine(StepId("preflight.keys"), "keys", Planned.REFUSED)
ASKED = replace(NO, act=ApprovedAct(NO.id, "risks", "it"))
FINE = replace(TO_DO, verdict=Planned.NOOP)


@pytest.mark.parametrize(("lines", "verb", "told"), [
    ((TO_DO,), "cluster.plan", "invoke cluster.bootstrap"),
    ((FINE, TO_DO, ASKED), "cluster.plan", "invoke cluster.bootstrap --approve {}"),
    ((TO_DO,), "cluster.bootstrap", "invoke cluster.bootstrap --approve {}"),
    ((FINE,), "cluster.plan", ""),
    ((TO_DO, NO), "cluster.plan", ""),
    ((TO_DO, replace(TO_DO, verdict=Planned.UNKNOWN)), "cluster.plan", ""),
])  # fmt: skip
def test_a_plan_says_the_whole_command_that_does_it(lines: tuple[PlanLine, ...], verb: str, told: str) -> None:
    made = Plan(lines)
    assert plan_following(made, "invoke cluster.bootstrap", verb) == told.format(made.digest)


def test_a_restore_is_told_with_the_claims_and_the_time_it_was_asked_for() -> None:
    assert restoring("", "") == "invoke dr.restore"
    assert restoring("a,b c", "2027-01-15T07:00:00Z") == "invoke dr.restore --claims 'a,b c' --as-of 2027-01-15T07:00:00Z"


@pytest.mark.parametrize("word", ["listed", "tree", "read", "read=3/8"])
def test_a_depth_is_told_as_it_is_typed(word: str) -> None:
    asked = wanted_of(word, "")
    assert asked.word == word and isinstance(asked, Wanted)


TAKES_NO_WORDS = {("bootstrap.py", "bootstrap_of"), ("bootstrap.py", "new_secrets"), ("losses.py", "save_etcd")}
"""Verbs that a run of them begins and goes on with by their name alone."""


def test_every_run_says_which_command_goes_on_with_it_but_those_that_take_no_words() -> None:
    """`invoke dr.undo` alone, below a run of `dr.undo CLAIM --let-go` that failed, is a command that invoke refuses."""
    bare = set()
    for path in VERBS.rglob("*.py"):
        for function in ast.parse(path.read_text()).body:
            for node in ast.walk(function):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "apply"):
                    continue
                if not {"again", "words"} & {word.arg for word in node.keywords} and len(node.args) < 5:
                    assert isinstance(function, ast.FunctionDef)
                    bare.add((path.name, function.name))
    assert bare == TAKES_NO_WORDS


def test_a_refusal_is_folded_on_a_terminal_and_whole_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def refuse() -> int:
        raise PermanentError("it is not there", hint="look at it " * 20, evidence=("seen " * 30, "short"))

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    for stream, widest in ((Terminal(), 80), (io.StringIO(), 300)):
        monkeypatch.setattr(sys, "stderr", stream)
        guarded("dr.undo", False, refuse)
        lines = stream.getvalue().splitlines()
        assert lines[0] == "what      it is not there"
        assert max(map(len, lines)) <= widest and (widest == 80 or len(lines) == 5)
        assert all(line[:10].strip() in ("what", "while", "evidence", "hint", "") for line in lines)
