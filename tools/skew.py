"""Whether a program's version goes with the versions of a house. Knows neither houses nor where programs lie,
nor talosctl: what goes with a Talos is in talos/versions.py.

The rules are about minors, as the makers of these programs give their promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tools.versions import Version

# Which Talos a talhelper can write machineconfigs for at most: the one whose machinery it is built with, from this version on.
_RENDERS = ((Version(3, 0, 40), (1, 12)), (Version(3, 1, 0), (1, 13)), (Version(3, 1, 10), (1, 14)))
_KNOWN_BELOW = Version(3, 2, 0)


@dataclass(frozen=True)
class HouseVersions:
    """What a house says it runs; None for what cannot be read from it."""

    talos: Version | None
    kubernetes: Version | None


class Skew(Enum):
    """What came of holding a program against a house."""

    FITS = "fits"
    WARNS = "fits with care"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"
    NOT_CONCERNED = "not concerned"


Verdict = tuple[Skew, str]


def against(program: str, version: Version, house: HouseVersions) -> Verdict:
    """How this version of a program goes with the house, and why, for people ("" when it simply fits)."""
    rule = _RULES.get(program)
    return rule(version, house) if rule is not None else (Skew.NOT_CONCERNED, "")


def _talhelper(version: Version, house: HouseVersions) -> Verdict:
    if house.talos is None:
        return Skew.UNKNOWN, "the house does not say which Talos it runs"
    newest = next((talos for since, talos in reversed(_RENDERS) if version >= since), None)
    if newest is None or version >= _KNOWN_BELOW:
        return Skew.UNKNOWN, f"which Talos it writes machineconfigs for is not known here; the house runs {house.talos}"
    if _minor(house.talos) > newest:
        return Skew.DOES_NOT_FIT, f"it writes machineconfigs up to Talos {newest[0]}.{newest[1]}, the house runs {house.talos}"
    return Skew.FITS, ""


def _kubectl(version: Version, house: HouseVersions) -> Verdict:
    if house.kubernetes is None:
        return Skew.UNKNOWN, "the house does not say which Kubernetes it runs"
    apart = abs(version.minor - house.kubernetes.minor)
    if version.major != house.kubernetes.major or apart > 1:
        # No step of a run depends on it: it is what a person types.
        return Skew.WARNS, f"{apart} minors from the house's Kubernetes {house.kubernetes}: promised is one"
    return Skew.FITS, ""


def _minor(version: Version) -> tuple[int, int]:
    return version.major, version.minor


_RULES: dict[str, Callable[[Version, HouseVersions], Verdict]] = {"talhelper": _talhelper, "kubectl": _kubectl}
