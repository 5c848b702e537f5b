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
# Talos promises its API to the talosctl of the same minor; one apart is what an upgrade itself needs.
_TALOSCTL_APART = 1
_MINOR = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class Fit:
    """What is wrong (`problems`), and what could not be judged since it is newer or older than this table (`unjudged`)."""

    problems: tuple[str, ...]
    unjudged: tuple[str, ...]


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
    (major, minor), (client_major, client_minor) = _minor(talos), _minor(talosctl)
    if major != client_major or abs(minor - client_minor) > _TALOSCTL_APART:
        problems.append(f"talosctl {talosctl} is not for Talos {talos}: take one of {major}.{minor}")
    return Fit(tuple(problems), tuple(unjudged))


def _minor(text: str) -> tuple[int, int]:
    found = _MINOR.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a version, as in v1.13.9")
    return int(found[1]), int(found[2])
