"""What is read in one place is read nowhere else, so that care taken there is taken by all."""

from __future__ import annotations

import ast
import re

from tests.architecture.test_layers import ROOT, nodes, sources

BY_THEMSELVES = {
    "engine/text/jsontext.py",
    "tools/places.py",  # works before everything else, and knows none of it
    "adapters/process/minding.py",  # knows no engine; hears its own parent alone
    "lab/parts/pods/gate.py",  # processes of their own in a pod's room, told by the lab alone
    "lab/parts/databases/instance.py",
    "lab/parts/pods/sandbox.py",
}


def test_json_is_read_in_one_place() -> None:
    """Whoever calls json itself forgets one of the ways in which a text may be wrong: engine/text/jsontext.py has them all."""
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
    assert {str(path.relative_to(ROOT)) for path in named} == {"engine/text/jsontext.py", "tools/places.py"}


OWN_CLOCK = {
    "engine/text/ages.py": "is the comparison",
    "adapters/backups/stores/s3.py": "how far the store's clock is behind ours",
    "engine/running/ledger.py": "its own run's steps",
    "adapters/vault/adapter.py": "its own file, of which it takes nothing that is to come",
    "cluster/backups/auditing.py": "how long this look has taken",
    "console/demo/loss/wire.py": "the demo's own log",
    "console/demo/story.py": "the demo's own acts",
    "console/verbs/dr/schedule.py": "the last run that was not yet to come",
    "console/views/live.py": "its own run's clock",
    "engine/waiting.py": "two readings of one clock",
    "rehearsal/conclusion.py": "how long its own drill took",
    "rehearsal/judging.py": "how long its own restore took",
    "rehearsal/steps/send_canary.py": "how long its own canary took",
}
"""Who takes something off `now` by hand: both ends are of one clock."""


def test_an_age_by_anothers_clock_is_worked_out_in_one_place() -> None:
    """`now - at` is young for whatever is dated in a time to come: engine/text/ages.py says that nobody knows."""
    inner = [path for path in sources() if path.relative_to(ROOT).parts[0] not in ("lab", "tools", "house")]
    found = {str(path.relative_to(ROOT)) for path in inner if any(_age_by_hand(node) for node in nodes(path, "now"))}
    assert found == set(OWN_CLOCK)


def test_by_how_much_clocks_may_differ_is_said_once() -> None:
    inner = [path for path in sources() if path.relative_to(ROOT).parts[0] != "lab"]
    said = {
        str(path.relative_to(ROOT)) for path in inner for word in ("SKEW_S", "_SKEW_S", "_APART_S") for node in nodes(path, word)
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == word for one in node.targets)
    }  # fmt: skip
    assert said == {"engine/text/ages.py"}


def _age_by_hand(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_now(node.left) and not _is_length(node.right)


def _is_now(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _is_now(node.func)
    return (isinstance(node, ast.Name) and node.id == "now") or (isinstance(node, ast.Attribute) and node.attr == "now")


def _is_length(node: ast.AST) -> bool:
    """A length of time: what is left then is a time, and no age."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.endswith("_S"))


def test_how_long_something_takes_is_told_in_one_place() -> None:
    """Whoever divides seconds by hand for a person says it in a seventh way, and tells of a backup that is 9600.0 h old."""
    word = r"(?:60|3600|86400|1440|\w+_S)"
    found = {str(path.relative_to(ROOT)) for path in sources() for node in nodes(path, word) if _unit_told(node)}
    # The others tell days that somebody has set: for how long snapshots are retained, or a bucket keeps and locks.
    assert found == {"engine/text/lengths.py", "cluster/components/volsync.py", "console/screens/buckets.py"}


def _unit_told(node: ast.AST) -> str:
    """By what a text divides seconds, where it does."""
    if not (isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.BinOp)):
        return ""
    by = node.value.right
    known = isinstance(by, ast.Constant) and by.value in (60, 3600, 86400, 1440)
    known = known or (isinstance(by, ast.Name) and by.id.strip("_") in ("MINUTE_S", "HOUR_S", "DAY_S"))
    return ast.dump(by) if known and isinstance(node.value.op, ast.Div | ast.FloorDiv) else ""


def test_who_catches_everything_says_why() -> None:
    """Ruff demands the mark; this demands a reason behind it, and that nothing is caught whole by `suppress`."""
    lines = [line for path in sources() for line in path.read_text().splitlines() if "BLE001" in line or "suppress(" in line]
    assert lines
    assert not [line for line in lines if "BLE001" in line and not re.search(r"# noqa: BLE001 - \w+\W+\w+", line)]
    assert not [line for line in lines if re.search(r"suppress\((?:.*\W)?(?:Base)?Exception\b", line)]
