"""The drawing of who may import whom is a test: the contracts are in pyproject.toml."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _config: None)  # it would switch the loggers of all other tests off
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_tasks_imports_only_invoke_at_the_top() -> None:
    tree = ast.parse((ROOT / "tasks.py").read_text())
    found = {name for node in tree.body for name in imported(node)}
    assert found == {"importlib", "invoke"}


def test_secrets_are_revealed_in_adapters_and_lab_only() -> None:
    places = {
        path.relative_to(ROOT).parts[0] for path in sources()
        if any(isinstance(n, ast.Attribute) and n.attr == "reveal" for n in nodes(path, "reveal"))
    }  # fmt: skip
    assert places <= {"adapters", "lab", "engine"}


def sources() -> list[Path]:
    """Every module of the project, tests and benchmarks aside."""
    folders = ("engine", "house", "adapters", "talos", "cluster", "bootstrap", "recovery", "rehearsal", "console", "lab", "tools")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def importers(package: str) -> list[Path]:
    """The modules that import this package, anywhere in them."""
    return [
        path for path in sources()
        if any(package == name.split(".")[0] for node in nodes(path, package) for name in imported(node))
    ]  # fmt: skip


def nodes(path: Path, word: str) -> Iterator[ast.AST]:
    """All that a module consists of; nothing of one that does not have the word, which need not be parsed."""
    text = path.read_text()
    return ast.walk(ast.parse(text)) if re.search(rf"\b{word}\b", text) else iter(())


def imported(node: ast.AST) -> list[str]:
    """Module names that this node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or ""]
    return []
