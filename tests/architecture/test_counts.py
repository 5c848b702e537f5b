"""What is counted is said by engine/text/words.py, so that nobody is told of "1 nodes"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layers import ROOT, sources

_COUNT = re.compile(r"\b(?:len|sum|abs)\(|\b\w*(?:count|many|total|size|days|files|bytes|lost|number)\w*\b")
"""What an expression looks like that is a number of things: a text knows no types."""
_SAID = re.compile(r"number\(|span\(|duration\(|about\(|some\(|listed\(|named\(|sorted\(")
"""Who has said it already, noun and all, or says names."""
_NO_NOUN = "is|was|has|its|this|lies|does|as|says|less|besides|of|times"
_TOLD = re.compile(rf"\{{([^{{}}\n]+)\}} (?:(?:are|were|have)\b|(?:[A-Za-z-]+ ){{0,2}}?(?!(?:{_NO_NOUN})\b)[A-Za-z][A-Za-z-]+s\b)")


def test_what_is_counted_has_its_noun_by_one_way_to_say_it() -> None:
    """A number that is written before a plural is wrong for one: `number(count, "node")`. Of what is told of a real house."""
    apart = (ROOT / "lab", ROOT / "console" / "demo")
    told = [path for path in sources() if not any(map(path.is_relative_to, apart))]
    found = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in told for line, text in by_hand(path)]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("f'{len(found)} nodes'", True), ("f'none of {len(found)} API servers'", True), ("f'{count} sources are away'", True),
        ("f'{days:.0f} days ago'", True), ("f'{len(late)} of its own questions'", False),
        ("f'{number(len(found), \"node\")} ready'", False),
        ("f'{len(off)} are off'", True), ("f'{name} are off'", False),
        ("f'{name} has {len(found)} of them'", False), ("f'{name} nodes'", False),
        ("f'{len(found)} is less'", False), ("f'{span(days)} days'", False),
    ],
)  # fmt: skip
def test_a_count_is_known_by_what_stands_after_it(line: str, is_one: bool, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(line)
    assert bool([*by_hand(file)]) is is_one


def by_hand(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each count before a plural, of a noun or of a verb."""
    text = path.read_text()
    for found in _TOLD.finditer(text):
        if _COUNT.search(found[1]) and not _SAID.match(found[1]):
            yield text.count("\n", 0, found.start()) + 1, found[0]
