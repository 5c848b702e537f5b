"""Renovate: whoever changes Git by itself changes it in the middle of a rebuild as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from engine.files.content import content_of
from house.files.paths import is_file
from house.files.problems import shown

NAME = "renovate-merges"
_PLACES = (
    "renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5", ".github/renovate.json",
    ".github/renovate.json5", ".gitlab/renovate.json", ".gitlab/renovate.json5",
)  # fmt: skip
_COMMENT = re.compile(r"(?m)^\s*//.*$")
_MERGES = re.compile(r"""["']?automerge["']?\s*:\s*true\b|:automerge\w*""")


def _find(given: Given) -> Iterator[Finding]:
    root = given.house.root
    found = next((root / place for place in _PLACES if is_file(root / place)), None)
    if found is None:
        return
    beside = sorted((root / ".github" / "renovate").glob("*.json5")) + sorted((root / ".renovate").glob("*.json5"))
    said = {file: _merges(file) for file in (found, *beside)}
    merging, unread = (next((file for file, merges in said.items() if merges is told), None) for told in (True, None))
    where, weight, what = found, Weight.NOTE, "Renovate proposes, and no file of its own in Git lets it merge by itself"
    if merging is not None:
        where, what = merging, "Renovate merges some updates by itself"
    elif unread is not None:
        name = shown(unread, root)
        where, weight, what = unread, Weight.UNKNOWN, f"whether Renovate merges by itself is not known: {name} cannot be read"
    yield Finding(
        NAME, weight, "Renovate", what, shown(where, root),
        "a rebuild reads Git for hours: an update in between is installed by Flux, and was never seen running",
        "pause it before a rebuild (in its dashboard, or by `enabled: false`); it runs outside, and no run needs it",
    )  # fmt: skip


def _merges(file: Path) -> bool | None:
    """Whether a file lets it merge; None for one that cannot be read. A preset that is kept elsewhere may let it all the same."""
    try:
        text = content_of(file).decode("utf-8", "replace")
    except OSError:
        return None
    return _MERGES.search(_COMMENT.sub("", text)) is not None


RULE = Rule(NAME, "Does anybody change Git by himself while a rebuild reads it?", _find)
