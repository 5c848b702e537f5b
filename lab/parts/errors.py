"""What can go wrong with the lab itself, as told apart from what the lab plays. Knows no program."""

from __future__ import annotations

from engine.errors import PermanentError


class PartFailed(PermanentError):
    """A program of the lab did not start, died, or answered what it must not: a fault of the lab, never a played one."""


class ProgramMissing(PermanentError):
    """A program that the lab runs is neither in `.tools/bin` nor on PATH."""
