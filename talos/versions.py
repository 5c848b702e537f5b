"""Which versions go together: a Talos with a Kubernetes, a talosctl with a Talos. Knows no program, port or house."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Kubernetes minors (first, last) that a Talos minor runs; source: the limits in Talos's own machinery package, folder
# `compatibility`, of v1.14.0-alpha.2. Talos checks them before an upgrade, but not at a first installation.
_KUBERNETES = {
    8: (26, 31),
    9: (27, 32),
    10: (28, 33),
    11: (29, 34),
    12: (30, 35),
    13: (31, 36),
    14: (32, 37),
}
# Talos promises its API to the talosctl of the same minor; one apart is what an upgrade itself needs. A newer talosctl works on
# an older Talos for all that a run asks (it prints a warning and goes on): no promise, and no reason to leave a house dark.
_TALOSCTL_APART = 1
# But from 1.14 on it asks a node's version first and ends where that is refused, as maintenance mode does up to Talos 1.12.
_ASKS_FIRST, _REFUSES = 14, 12
_MINOR = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class Fit:
    """What is wrong (`problems`), what could not be judged since it is newer or older than this table (`unjudged`), and what
    goes together without anybody's promise (`remarks`)."""

    problems: tuple[str, ...]
    unjudged: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def known(talos: str) -> bool:
    """Whether the table has this Talos version (`v1.13.9`)."""
    major, minor = _minor(talos)
    return major == 1 and minor in _KUBERNETES


def fit(talos: str, kubernetes: str, talosctl: str) -> Fit:
    """Judge three versions as their owners print them (`v1.13.9`). Raises ValueError for a text that is no version."""
    problems: list[str] = []
    unjudged: list[str] = []
    if known(talos):
        first, last = _KUBERNETES[_minor(talos)[1]]
        if not (1, first) <= _minor(kubernetes) <= (1, last):
            problems.append(f"Talos {talos} runs Kubernetes 1.{first} to 1.{last}, not {kubernetes}")
    else:
        unjudged.append(f"which Kubernetes Talos {talos} runs is not known to this version of Blackstart")
    wrong, remark = _talosctl(talos, talosctl)
    return Fit((*problems, *wrong), tuple(unjudged), remark)


def _talosctl(talos: str, talosctl: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with this talosctl, and what is worth a remark."""
    (major, minor), (client_major, client_minor) = _minor(talos), _minor(talosctl)
    if major != client_major or minor - client_minor > _TALOSCTL_APART:
        return (f"talosctl {talosctl} is not for Talos {talos}: take one of {major}.{minor}",), ()
    if client_minor >= _ASKS_FIRST and minor <= _REFUSES:
        return (f"talosctl {talosctl} cannot look at a node of Talos {talos} in maintenance mode: take one of 1.13",), ()
    if client_minor - minor > _TALOSCTL_APART:
        return (), (f"talosctl {talosctl} is {client_minor - minor} minors newer than Talos {talos}, which it warns of",)
    return (), ()


def _minor(text: str) -> tuple[int, int]:
    found = _MINOR.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a version, as in v1.13.9")
    return int(found[1]), int(found[2])
