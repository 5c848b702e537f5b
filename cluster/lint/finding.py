"""What the lint comes to: findings of named rules. Nouns only: knows no house and no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.lint.given import Given


class Weight(Enum):
    """How bad a finding is; the last one weighs most."""

    NOTE = "note"
    """To be known beforehand; wrong with nothing."""
    UNKNOWN = "unknown"
    """It may be one of the two below, and what would tell is not in Git or the settings."""
    RISK = "risk"
    """It bites in a rebuild, and stops none."""
    PARADOX = "paradox"
    """A rebuild needs it, and it is there only while what is rebuilt is."""


ORDER = tuple(Weight)


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found, where it is declared (`file:line`), why it bites when the house is dark, and what to do.

    `patch` is text for Git, ready to be put there. `beyond_admission`: something does it outside of the cluster, so that no hold
    can stop it; the finding is then told by `dr.hold` as well. Nothing secret may stand in any of them.
    """

    rule: str
    weight: Weight
    subject: str
    what: str
    declared_in: str
    why: str
    todo: str
    patch: str = ""
    beyond_admission: bool = False

    @property
    def said_as(self) -> str:
        """What the settings call it under `lint.accepted`."""
        return f"{self.rule} {self.subject}"


@dataclass(frozen=True)
class Rule:
    """One rule: `asks` is its question as a person would put it."""

    name: str
    asks: str
    find: Callable[[Given], Iterable[Finding]]
