"""Versions of programs as they print them, and ranges of them. Knows no program."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, order=True)
class Version:
    """Major, minor, patch; ordered by them."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(text: str) -> Version | None:
    """The first version in `text` (`v1.36.3`, `3.22`, `go1.26.8`), or None where there is none.

    A pre-release counts as its release: whoever runs 1.14.0-rc.1 wants to know whether 1.14 fits.
    """
    match = _VERSION.search(text)
    if match is None:
        return None
    return Version(int(match[1]), int(match[2]), int(match[3] or 0))


@dataclass(frozen=True)
class VersionRange:
    """From `at_least` (included) up to `below` (excluded), and the reason for these borders, for people."""

    at_least: Version
    below: Version
    because: str = ""

    def __contains__(self, version: Version) -> bool:
        return self.at_least <= version < self.below

    def __str__(self) -> str:
        return f">= {self.at_least}, < {self.below}"


def between(at_least: str, below: str, because: str = "") -> VersionRange:
    """A range from two texts; raises ValueError when one of them is no version."""
    low, high = parse(at_least), parse(below)
    if low is None or high is None:
        raise ValueError(f"not a version range: {at_least!r} to {below!r}")
    return VersionRange(low, high, because)
