"""Which Kubernetes a Talos runs. Knows no file."""

from __future__ import annotations

import re

# Kubernetes minors (first, last) that a Talos minor runs; source: the limits in Talos's own machinery package, folder
# `compatibility`, of v1.14.0-alpha.2. Talos checks them before an upgrade, but not at a first installation.
KUBERNETES = {
    8: (26, 31),
    9: (27, 32),
    10: (28, 33),
    11: (29, 34),
    12: (30, 35),
    13: (31, 36),
    14: (32, 37),
}
_MINOR = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})")


def minor_of(text: str) -> tuple[int, int]:
    """Major and minor of a version as its owner prints it (`v1.13.9`). ValueError for a text that is none."""
    found = _MINOR.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a version, as in v1.13.9")
    return int(found[1]), int(found[2])


def known(talos: str) -> bool:
    """Whether the table has this Talos version."""
    major, minor = minor_of(talos)
    return major == 1 and minor in KUBERNETES


def kubernetes_wrong(talos: str, kubernetes: str) -> str | None:
    """Why these two do not go together; None when they do, or nobody here knows. Raises ValueError for what is no version."""
    if not known(talos):
        return None
    first, last = KUBERNETES[minor_of(talos)[1]]
    if (1, first) <= minor_of(kubernetes) <= (1, last):
        return None
    return f"Talos {talos} runs Kubernetes 1.{first} to 1.{last}, not {kubernetes}"
