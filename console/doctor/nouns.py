"""What a verb lacks, and what is said of it: yes, no, or that nobody has looked. Looks at nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Answer(Enum):
    """Whether something works today. NOT_LOOKED: nothing is known to lack, and not everything was looked at."""

    YES = "yes"
    NO = "no"
    NOT_LOOKED = "not looked at"


class Of(Enum):
    """What a lack is of, where another verb than its own tells more."""

    SETTINGS = "settings"
    PROGRAM = "program"
    OTHER = "other"


@dataclass(frozen=True)
class Lack:
    """One thing that stands between a verb and its work, in one line; `known` is False where nobody has looked at it."""

    told: str
    known: bool = True
    of: Of = Of.OTHER


@dataclass(frozen=True)
class Able:
    """One verb: what is good in a few words, what lacks or was not looked at, and what to type next ("" for nothing)."""

    verb: str
    good: str
    lacks: tuple[Lack, ...]
    next: str

    @property
    def answer(self) -> Answer:
        """NO as soon as one thing is known to lack; YES only where everything was looked at."""
        if any(lack.known for lack in self.lacks):
            return Answer.NO
        return Answer.NOT_LOOKED if self.lacks else Answer.YES


def able(verb: str, good: str, lacks: Iterable[Lack], *, yes: str, no: str) -> Able:
    """`yes` is the command where nothing is known to lack, `no` the one that mends or tells what does."""
    found = tuple(dict.fromkeys(lacks))
    return Able(verb, good, found, no if any(lack.known for lack in found) else yes)
