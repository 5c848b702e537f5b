"""Backups and restores whose pods the namespace's own Pod Security would not let in."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from house.data.pod_security import refused_movers

NAME = "mover-refused"


def _find(given: Given) -> Iterator[Finding]:
    for one in refused_movers(given.rendered):
        yield Finding(
            NAME, Weight.RISK, one.told, f"the mover of {one.told} is refused: {one.why}", one.declared_in,
            "its Job never gets a pod: nothing is backed up, and a restore waits for ever", one.todo, one.patch,
        )  # fmt: skip


RULE = Rule(NAME, "Which backup or restore would its own namespace refuse?", _find)
