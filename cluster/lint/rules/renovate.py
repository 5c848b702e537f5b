"""Renovate: whoever changes Git by itself changes it in the middle of a rebuild as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from house.paths import content_of, is_file
from house.problems import shown

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
    merging = next((file for file in (found, *beside) if _merges(file)), None)
    what = "merges some updates by itself" if merging is not None else "proposes, and merges nothing by itself"
    yield Finding(
        NAME, Weight.NOTE, "Renovate", f"Renovate {what}", shown(merging or found, root),
        "a rebuild reads Git for hours: an update in between is installed by Flux, and was never seen running",
        "pause it before a rebuild (in its dashboard, or by `enabled: false`); it runs outside, and no run needs it",
    )  # fmt: skip


def _merges(file: Path) -> bool:
    try:
        text = content_of(file).decode("utf-8", "replace")
    except OSError:
        return False
    return _MERGES.search(_COMMENT.sub("", text)) is not None


RULE = Rule(NAME, "Does anybody change Git by himself while a rebuild reads it?", _find)
