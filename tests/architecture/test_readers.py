"""What is read in one place is read nowhere else, so that care taken there is taken by all."""

from __future__ import annotations

import ast

from tests.architecture.test_layers import ROOT, nodes, sources

BY_THEMSELVES = {
    "engine/jsontext.py",
    "tools/places.py",  # works before everything else, and knows none of it
    "adapters/process/minding.py",  # knows no engine; hears its own parent alone
    "lab/parts/gate.py",  # processes of their own in a pod's room, told by the lab alone
    "lab/parts/sandbox.py",
}


def test_json_is_read_in_one_place() -> None:
    """Whoever calls json itself forgets one of the ways in which a text may be wrong: engine/jsontext.py has them all."""
    found = {str(path.relative_to(ROOT)) for path in sources() if any(_reads_json(node) for node in nodes(path, "json"))}
    assert found == BY_THEMSELVES


def _reads_json(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "json" and any(alias.name != "dumps" for alias in node.names)
    if not (isinstance(node, ast.Attribute) and node.attr in ("load", "loads", "JSONDecoder")):
        return False
    return isinstance(node.value, ast.Name) and node.value.id.startswith("json") and node.value.id != "jsontext"


def test_nobody_catches_a_stack_that_is_too_low_by_hand() -> None:
    """It is a reader's to bound how deep it goes: a caller that must know of it is one of many, and another forgets it."""
    word = "RecursionError"
    named = {path for path in sources() for node in nodes(path, word) if isinstance(node, ast.Name) and node.id == word}
    assert {str(path.relative_to(ROOT)) for path in named} == {"engine/jsontext.py", "tools/places.py"}
