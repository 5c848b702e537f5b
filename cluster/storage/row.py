"""What every row about a storage system is: a check made of findings, which others can ask for too. Knows no system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.context import LookContext
from adapters.ports import ClusterView
from cluster.storage.findings import Finding, Weight, probe_of
from engine.errors import PermanentError, TransientError
from engine.probe import Probe
from engine.step import BaseCheck, Check


@dataclass(frozen=True)
class System:
    """Which storage system a row speaks of: `key` is `longhorn`, `ceph/NAME` or `nas/NAME`, `title` what a person calls it."""

    key: str
    title: str


class StorageRow(Check[LookContext], Protocol):
    """A check that says what it found, and what a person would risk who goes on although it blocks."""

    @property
    def system(self) -> System: ...
    @property
    def risk(self) -> str: ...
    def findings(self, look: LookContext) -> Sequence[Finding]:
        """Asked now. Raises what the look raises."""

    def by_hand(self) -> str:
        """What a person would type to look."""


class FoundRow(BaseCheck):
    """Such a check's probe and risk; `findings`, `system`, id and title are the row's own."""

    risk = "what is written may be lost, and what is on it already with it"

    def findings(self, look: LookContext) -> Sequence[Finding]:
        """Nothing was looked at, which is no good news."""
        return ()

    def probe(self, look: LookContext) -> Probe:
        """The answer that the findings make together."""
        return probe_of(self.findings(look))


def asked(look: LookContext, row: StorageRow) -> tuple[Finding, ...]:
    """What a row finds; that it gives no answer, may not be looked at, or looked at nothing, is a finding too."""
    try:
        return tuple(row.findings(look)) or (Finding(row.title, Weight.UNKNOWN, "nothing of it was looked at"),)
    except PermanentError as no:
        return (shut_out(row.title, no),)
    except TransientError as silence:
        told = "; ".join((silence.what, *silence.evidence[:2]))
        return (Finding(row.title, Weight.UNKNOWN, f"gives no answer: {told}", hint=silence.hint),)


def shut_out(part: str, no: PermanentError) -> Finding:
    """A look that was refused for good: nobody knows, and the refusal names the privilege that is missing."""
    told = "; ".join((no.what, *no.evidence[:2]))
    return Finding(part, Weight.UNKNOWN, f"may not be looked at: {told}", hint=no.hint, command=no.next_command)


def answers(cluster: ClusterView) -> bool:
    """Whether any API server answers: then a silence is that of what was asked for, else it is the cluster's, which has its row."""
    try:
        return any(server.answers for server in cluster.api_servers())
    except (TransientError, PermanentError):
        return False
