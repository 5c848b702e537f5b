"""Every command that a page tells a person to type is one that the command line takes: its verb, its words and its flags."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from runpy import run_path

import pytest
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("console/**/*.j2")])
TYPED = re.compile(r"(?:^|[\s`(])invoke ((?:cluster|config|dr|lab|tools)\.[a-z-]+[^`\n]*)", re.MULTILINE)


@pytest.fixture(autouse=True)
def ignored_again() -> Iterator[None]:
    """tasks.py, read for a page's `--help`, leaves SIGPIPE to the system: right in its own process, and this one goes on."""
    yield
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def commands(page: Path) -> set[str]:
    """What stands behind `invoke` there, up to the comment or the end of the quotation; what may be left out is written."""
    text = re.sub(r"\{\{.*?\}\}", "WORD", page.read_text())
    return {re.split(r" +# | && | \|\| |; ", one)[0].replace("[", "").replace("]", "").strip() for one in TYPED.findall(text)}


@cache
def tasks() -> Collection:
    """The verbs, whose words do not hang on the command line but for three of them."""
    made: Collection = run_path(str(ROOT / "tasks.py"))["namespace"]
    return made


def taken(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command line says against it, "" for nothing."""
    words = shlex.split(command)
    monkeypatch.setattr(sys, "argv", ["invoke", *words])
    fresh = tasks.__wrapped__ if words[0] in ("dr.hold", "dr.list", "lab.fault") else tasks
    try:
        Parser(contexts=fresh().to_contexts()).parse_argv(words)
    except ParseError as error:
        return f"{command}: {error}"
    return ""


def test_each_command_of_a_page_is_one_that_invoke_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {command for page in PAGES for command in commands(page)}
    assert len(found) > 40, "they are looked for where they stand"
    assert not [told for command in sorted(found) if (told := taken(command, monkeypatch))]


@pytest.mark.parametrize("command", ["dr.undo", "dr.list apps/notes --as-off now", "cluster.replace-node --approve X", "dr.restor"])
def test_one_that_it_does_not_take_is_told(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(command, monkeypatch)
