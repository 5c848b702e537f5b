"""What is kept is written in one place, so that care taken there is taken by all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layers import ROOT, sources

BY_THEMSELVES = {
    "engine/files/whole.py": "is the writer",
    "engine/journal.py": "a log: appended to, each line of it with a checksum",
    "engine/files/lock.py": "a lock's file, which must stay the same one",
    "console/opened/openhouse.py": "logs of a run, which grow while it goes on",
    "console/runs.py": "a list that grows by one line a run, of which a torn one names no run",
    "adapters/process/keeper.py": "a log in a folder that goes with its process",
    "adapters/helm/charts.py": "values in a folder that is gone when the chart is rendered",
    "adapters/helm/crds.py": "in a scratch folder, and put in its place from there",
    "adapters/helm/kinds.py": "in a scratch folder, and put in its place from there",
    "adapters/helm/fencing.py": "a kubeconfig for as long as one helm runs",
    "adapters/talos/machineconfigs.py": "in a folder that is put in its place as a whole; the old one is moved aside first",
    "console/report/folder.py": "in a folder that is put in its place as a whole",
    "console/kit/packing.py": "in a private room, whose sealed archive is put in its place",
    "console/kit/unfolding.py": "in a private room, which is put in its place as a whole",
    "console/kit/rooms.py": "the mark of a private room, which is locked",
    "house/flux/building.py": "in a folder that is gone when the build is over",
    "tools/build.py": "the log of a build, which a person may follow",
    "tools/bundle.py": "in a folder of which one archive is put in its place",
    "console/demo/full.py": "breaks the settings of its own lab, for the demo to be told of it",
    "console/demo/rehearsal.py": "damages a backup of its own lab",
    "console/demo/loss/wire_scenes.py": "changes the settings of its own lab",
}
"""Who writes by hand, and why that is no file which is kept and which a reader may find half written."""


def test_what_is_kept_is_written_whole_in_one_place() -> None:
    """By hand somebody forgets disk, folder, mode, a link, or what a killed writer left: engine/files/whole.py has them all."""
    inner = [path for path in sources() if path.relative_to(ROOT).parts[0] != "lab"]
    written = {str(path.relative_to(ROOT)) for path in inner if any(by_hand(path))}
    assert written == set(BY_THEMSELVES)


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("path.write_text(text)", True), ("path.write_bytes(b'')", True), ("part.replace(path)", True), ("a.rename(b)", True),
        ("os.replace(a, b)", True), ("os.link(a, b)", True), ("shutil.move(a, b)", True), ("path.open('wb')", True),
        ("open(path, 'x')", True), ("path.open(mode='w')", True), ("os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)", True),
        ("tempfile.mkstemp()", True), ("path.hardlink_to(b)", True), ("text.replace('a', 'b')", False),
        ("replace(house, name='a')", False), ("at.replace(tzinfo=UTC)", False), ("path.open()", False), ("path.open('rb')", False),
        ("os.open(path, os.O_RDONLY)", False),
    ],
)  # fmt: skip
def test_a_writer_is_known_by_its_call(line: str, is_one: bool, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(line)
    assert any(by_hand(file)) is is_one


_WORD = re.compile(r"write_text|write_bytes|replace|rename|link|move|open|mkstemp|NamedTemporaryFile")
_ALWAYS = ("write_text", "write_bytes", "rename", "hardlink_to", "mkstemp", "NamedTemporaryFile")


def by_hand(path: Path) -> Iterator[bool]:
    """Whether each call of a module that has such a word writes a file, or gives one its name."""
    text = path.read_text()
    if _WORD.search(text):
        yield from (_writes(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def _writes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and _to_write(call.args[1:2], call)
    if not isinstance(call.func, ast.Attribute):
        return False
    owner, name = call.func.value, call.func.attr
    module = owner.id if isinstance(owner, ast.Name) else ""
    if module in ("os", "shutil"):
        return name in ("replace", "rename", "link", "move") or (name == "open" and "O_CREAT" in ast.dump(call))
    if name in ("replace", "write_text"):  # a path's has one argument, a text's has two
        return name == "write_text" or (len(call.args) == 1 and not call.keywords)
    return name in _ALWAYS or (name == "open" and _to_write(call.args[:1], call))


def _to_write(modes: list[ast.expr], call: ast.Call) -> bool:
    given = [*modes, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(isinstance(one, ast.Constant) and isinstance(one.value, str) and set(one.value) & set("wxa") for one in given)
