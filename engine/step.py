"""The shape of a step and of a check. Knows nothing of contexts: Look and Act are whatever the caller's ports are."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import NewType, Protocol, TypeVar

from engine.probe import Identity, Probe

StepId = NewType("StepId", str)
"""`area.verb/instance`, e.g. `talos.apply-config/cp-1`; the instance is left out where there is only one."""

Look_contra = TypeVar("Look_contra", contravariant=True)
Act_contra = TypeVar("Act_contra", contravariant=True)


class Hazard(Enum):
    """How bad an act is, as seen just now: the same step can be harmless or not."""

    NONE = "none"
    DISRUPTS = "disrupts"
    DESTROYS = "destroys"


IF_ANY = "if-any:"


def if_any(pattern: str) -> str:
    """A need that may match nothing (no data disks, no workers): without this a pattern that matches nothing is an error."""
    return IF_ANY + pattern


BUT_NOT = " but-not:"


def all_but(pattern: str, *others: str) -> str:
    """A need for everything that fits the pattern and none of the others; nothing may be left of it."""
    return IF_ANY + BUT_NOT.join((pattern, *others))


EXCUSING = " excusing:"


def excusing(pattern: str, causes: str) -> str:
    """A need that keeps nobody back where it failed, or was blocked, for nothing but these causes (a pattern of checks)."""
    return pattern + EXCUSING + causes


class Severity(Enum):
    """Whether a check that is not satisfied stops what needs it. A watched one stops nothing, but verify takes it for drift."""

    BLOCKING = "blocking"
    ADVISORY = "advisory"
    WATCHED = "watched"


WARNING_NOTE = "warning"
"""The key of a note that a person should see: an act went well, and what did it had something to say."""


class Notes(Protocol):
    """Where an act leaves what a person needs who finds it in flight: no step reads them, a probe finds by itself what goes on."""

    def put(self, key: str, value: str) -> None:
        """Write one note of the step that is in flight (never a secret). Returns after the line is synced to disk."""


class Step(Protocol[Look_contra, Act_contra]):
    """The smallest planned, applied, verified, resumable change."""

    @property
    def id(self) -> StepId: ...
    @property
    def title(self) -> str: ...
    @property
    def needs(self) -> Collection[str]:
        """Ids, or patterns such as `talos.apply-config/*`."""

    @property
    def system(self) -> str:
        """What the step loads or disturbs: limits and mutual exclusion go by it."""

    @property
    def always(self) -> bool:
        """Runs although something failed (release a lease, collect diagnostics)."""

    @property
    def standing(self) -> bool:
        """Found satisfied, it holds nobody up although a check that it needs says no: those speak about its act, not about what is
        there. Whatever acts after it must need by itself the checks that speak about its own act."""

    @property
    def sight_s(self) -> float:
        """Seconds to wait for sight: how long UNKNOWN is looked at again."""

    @property
    def settle_s(self) -> float:
        """Seconds the world may take to show an act whose reply was lost."""

    @property
    def ready_s(self) -> float:
        """Seconds from the act to SATISFIED, CHANGING included."""

    @property
    def inputs(self) -> str:
        """Digest of what this step would do; stored with begin."""

    def hazard(self, seen: Probe) -> Hazard:
        """How bad the act would be for what was seen: what is down already is not disrupted again."""

    def guarded(self, seen: Probe) -> bool:
        """Whether the guard of its system has to say yes before: not where what it acts on is no part of that yet."""

    def identity(self, seen: Probe) -> Identity | None:
        """What an approval names for this act: what is destroyed or replaced. None where there is no hazard.

        DESTROYS always needs an approval and so an identity. DISRUPTS needs one when there is one: leave it out only
        where nothing that serves is disturbed (the act is then serialised and guarded, and asks nobody).
        """

    def probe(self, look: Look_contra) -> Probe: ...
    def apply(self, act: Act_contra, seen: Probe, notes: Notes) -> None: ...
    def by_hand(self) -> str:
        """What a person would type instead."""


class Check(Protocol[Look_contra]):
    """A read-only probe with a severity; it may wait."""

    @property
    def id(self) -> StepId: ...
    @property
    def title(self) -> str: ...
    @property
    def needs(self) -> Collection[str]: ...
    @property
    def severity(self) -> Severity: ...
    def severity_of(self, seen: Probe) -> Severity:
        """The severity of this very answer, where that is not the same for all: not known may weigh less than no."""

    @property
    def sight_s(self) -> float: ...
    def probe(self, look: Look_contra) -> Probe: ...


class BaseStep:
    """Defaults for a step, so that a step file says only what is its own: override with a plain class attribute or a property."""

    @property
    def needs(self) -> Collection[str]:
        return ()

    @property
    def always(self) -> bool:
        return False

    @property
    def standing(self) -> bool:
        return False

    @property
    def sight_s(self) -> float:
        return 60.0

    @property
    def settle_s(self) -> float:
        return 2.0

    @property
    def ready_s(self) -> float:
        return 300.0

    @property
    def inputs(self) -> str:
        return ""

    def hazard(self, seen: Probe) -> Hazard:
        """Harmless unless the step says otherwise."""
        return Hazard.NONE

    def guarded(self, seen: Probe) -> bool:
        """Always, unless the step says otherwise."""
        return True

    def identity(self, seen: Probe) -> Identity | None:
        """What the look said that it saw."""
        return seen.identity


class BaseCheck:
    """Defaults for a check, as BaseStep's for a step: blocking, needs nothing, waits a minute for sight."""

    @property
    def needs(self) -> Collection[str]:
        return ()

    @property
    def severity(self) -> Severity:
        return Severity.BLOCKING

    def severity_of(self, seen: Probe) -> Severity:
        """The same for every answer unless the check says otherwise."""
        return self.severity

    @property
    def sight_s(self) -> float:
        return 60.0
