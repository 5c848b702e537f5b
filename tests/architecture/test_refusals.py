"""What a person typed or wrote is never refused without a word of what would be right."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layers import ROOT, nodes, sources


def test_who_is_refused_is_told_what_would_be_right() -> None:
    """At 3 a.m. nobody looks the right words up."""
    apart = ("lab", "house")  # a Problem has its own `better`
    inner = [path for path in sources() if path.relative_to(ROOT).parts[0] not in apart]
    assert [f"{path.relative_to(ROOT)}:{line}" for path in inner for line in curt(path)] == []


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("SettingsInvalid('x is no node')", True), ("SettingsInvalid(f'{x} is no node', evidence=(x,))", True),
        ("SettingsInvalid('x is no node', hint='name one')", False), ("SettingsInvalid('x', next_command='invoke y')", False),
        ("SettingsInvalid(f'--max-time {x} is no time; right would be: 90s')", False), ("SettingsInvalid(f'--x {error}')", False),
        ("SettingsInvalid(what, hint=better)", False), ("PermanentError('x is away')", False),
    ],
)  # fmt: skip
def test_a_curt_refusal_is_known(line: str, is_one: bool, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(line)
    assert bool([*curt(file)]) is is_one


def curt(path: Path) -> Iterator[int]:
    """Lines of refusals that end with what is wrong. One that repeats an `error` hands on what that says would be right."""
    for node in nodes(path, "SettingsInvalid"):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SettingsInvalid":
            text = ast.unparse(node)
            better = {"hint", "next_command"} & {str(keyword.arg) for keyword in node.keywords}
            if not better and "right would be" not in text and "; " not in text and "{error}" not in text:
                yield node.lineno
