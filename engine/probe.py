"""What one look at the world answers. Knows only the five answers, never what was looked at."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum

from engine.secrets import all_told, told
from engine.text.digest import digest


class Condition(Enum):
    """The five answers of a look. UNKNOWN comes first: whoever forgets to answer has not looked."""

    UNKNOWN = "unknown"
    SATISFIED = "satisfied"
    MISSING = "missing"
    DRIFTED = "drifted"
    CHANGING = "changing"


@dataclass(frozen=True)
class Identity:
    """What an act would be done to, as values: a consent is to these, and they are what is compared.

    A kind of thing is a frozen subclass with `__str__` for the words in which a person is told of it. Values stay what they
    are: never redacted, never secret. A field that is not compared is there for the words alone.
    """

    @property
    def digest(self) -> str:
        """16 hex digits over the kind and the compared values."""
        return digest(type(self).__name__, *(getattr(self, one.name) for one in fields(self) if one.compare))


@dataclass(frozen=True)
class Risk(Identity):
    """What a person takes upon himself who lets a run go on although a check says no. Only a no that bears one can be passed."""


@dataclass(frozen=True)
class Probe:
    """One look: the answer, a sentence for people, what was seen, and of what it was seen.

    Drift is told as key paths, never as values; nothing secret may stand in `detail`, `evidence` or `hint`. `detail` says what
    is and `evidence` what was seen; `hint` is what usually helps, for the problem that comes of it when nothing changes.
    All three are for people alone: who compares or acts goes by `identity`, what an act that needs consent would be done to.
    `held` goes with SATISFIED only: the step or check has no more to do, and applications stay held until a person or
    another verb goes on. What needs it runs; the run then ends as *held* instead of *done*.
    """

    condition: Condition
    detail: str = ""
    evidence: tuple[str, ...] = ()
    held: bool = False
    hint: str = ""
    identity: Identity | None = None

    def as_told(self) -> Probe:
        """The same, its texts as they leave for a person: without secrets and control characters, of bounded length."""
        texts = told(self.detail), all_told(self.evidence), told(self.hint)
        if texts == (self.detail, self.evidence, self.hint):
            return self
        return replace(self, detail=texts[0], evidence=texts[1], hint=texts[2])


def satisfied(detail: str = "", *evidence: str) -> Probe:
    """The world is as the step wants it."""
    return Probe(Condition.SATISFIED, detail, evidence)


def held(detail: str, *evidence: str) -> Probe:
    """Nothing is left to do here, and something is held on purpose: the run ends as held (exit code 6)."""
    return Probe(Condition.SATISFIED, detail, evidence, held=True)


def missing(detail: str, *evidence: str, hint: str = "", identity: Identity | None = None) -> Probe:
    """The thing was looked for and is not there (not the same as: could not look)."""
    return Probe(Condition.MISSING, detail, evidence, hint=hint, identity=identity)


def drifted(detail: str, *evidence: str, hint: str = "", identity: Identity | None = None) -> Probe:
    """The thing is there and differs; `evidence` holds the differing key paths."""
    return Probe(Condition.DRIFTED, detail, evidence, hint=hint, identity=identity)


def changing(detail: str, *evidence: str, hint: str = "") -> Probe:
    """Something or somebody is already at it: wait, do not act."""
    return Probe(Condition.CHANGING, detail, evidence, hint=hint)


def unknown(detail: str, *evidence: str, hint: str = "") -> Probe:
    """Could not look. Nothing is ever done on this answer."""
    return Probe(Condition.UNKNOWN, detail, evidence, hint=hint)
