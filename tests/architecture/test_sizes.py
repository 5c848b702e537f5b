"""A module or function past its cap misses a noun; a module without a docstring does not say what it must not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.test_layers import ROOT, sources

MODULE_LINES = 400
FUNCTION_LINES = 60
GENERATED = "lab/wire/talos/pb"
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


def modules() -> list[str]:
    """Every module of the project that a person wrote."""
    return sorted(str(p.relative_to(ROOT)) for p in sources() if GENERATED not in str(p))


@pytest.mark.parametrize("name", modules())
def test_module_fits_and_says_what_it_is_for(name: str) -> None:
    text = (ROOT / name).read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= MODULE_LINES
    assert ast.get_docstring(tree), "no docstring"
    assert not FORBIDDEN_NAMES & set(name.removesuffix(".py").split("/"))
    long = [
        f"{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in statements(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements, however deep: expressions, of which `ast.walk` looks at every one, hold no function with a name."""
    within = [tree]
    for node in within:
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, ())
            if isinstance(inner, list):
                within += inner
