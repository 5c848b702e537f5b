"""The lab's Proxmox door against what Proxmox VE's own API code answered, request by request, where those recordings are at hand.

What is answered otherwise, on purpose or for want of it, has its name and its reason here; anything else fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.proxmox.proxmox_replay import GROUPS, RECORDED, Replay, recorded, unlike

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recordings of Proxmox at {RECORDED}")

# Row → why the door answers otherwise.
EXCEPTIONS = {
    "disk while running": "two seconds after its start the firmware of an emulated q35 guest has numbered no bus to plug into yet;"
    " the lab's guests have one at once",
}
# What of a row's body is another's, by how the difference begins, and why.
OTHER = {
    # This version of Proxmox has calls that the published schema of 9.2 names otherwise.
    "index of nodes": "rows of data:",
    # The lab's images are smaller files than those that were recorded.
    "content of import": "size:", "content all": "size:", "url metadata": "size:",
    # The recorder's one host had no corosync, and later a configuration of its own count.
    "cluster status": "nodeid:", "no quorum: cluster status": "version:",
    # What "disk while running" was refused for is what waits there.
    "pending while running": "data lacks pending",
}  # fmt: skip
MUST = 300


def test_the_door_answers_as_proxmox_did(tmp_path: Path) -> None:
    """All groups in the order in which they were played, on one house: each finds what those before it left."""
    replay, different, seen, used = Replay(tmp_path), dict[str, list[str]](), 0, set[str]()
    for group in GROUPS:
        named = set[str]()
        for row, problems in replay.play(group):
            named.add(row["name"])
            kept = [problem for problem in problems if not problem.startswith(OTHER.get(row["name"], ":"))]
            used |= {row["name"]} if kept != problems else set()
            if kept:
                different.setdefault(row["name"], []).extend(kept)
        seen += len(named)
    assert seen >= MUST
    assert {name: problems for name, problems in different.items() if name not in EXCEPTIONS} == {}
    assert (set(different), used) == (set(EXCEPTIONS), set(OTHER)), "an exception that is none any more"
    assert replay.door.unknown == ["GET /api2/json/nonsense", "DELETE /api2/json/version"]


# Rows of which nothing but kinds and keys can be compared.
OF_KINDS_ALONE = {"node time"}


def test_nonsense_would_be_told_of_every_row() -> None:
    """The comparison itself, on what was recorded: one value that is another is told, and the same body is not."""
    alone = set[str]()
    for row in (row for group in GROUPS for row in recorded(group)):
        assert unlike(row["body"], row["body"]) == []
        told = any(unlike(row["body"], body) for body in spoilt(row["body"]))
        alone |= set() if told else {row["name"]}
    assert alone == OF_KINDS_ALONE


def spoilt(value: Any) -> Iterator[Any]:
    """The body with one value of its kind in the place of another, each value in turn; something in place of nothing."""
    if value in ({}, []):
        yield {"nonsense": 1} if value == {} else [1]
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            for other in spoilt(each):
                copied = value.copy()
                copied[key] = other
                yield copied
    else:
        yield f"{value} nonsense" if isinstance(value, str) else -1 if isinstance(value, int | float) else "nonsense"
