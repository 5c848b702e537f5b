"""Which versions go together: a Talos with a Kubernetes, a talosctl with a Talos. Knows no program, port or house."""

from __future__ import annotations

from dataclasses import dataclass

from house.repository.versions import known, kubernetes_wrong, minor_of

# Talos promises its API to the talosctl of the same minor; one apart is what an upgrade itself needs. A newer talosctl works on
# an older Talos for all that a run asks (it prints a warning and goes on): no promise, and no reason to leave a house dark.
_TALOSCTL_APART = 1
# But from 1.14 on it asks a node's version first and ends where that is refused, as maintenance mode does up to Talos 1.12.
_ASKS_FIRST, _REFUSES = 14, 12


@dataclass(frozen=True)
class Fit:
    """What is wrong (`problems`), what could not be judged since it is newer or older than this table (`unjudged`), and what
    goes together without anybody's promise (`remarks`)."""

    problems: tuple[str, ...]
    unjudged: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def fit(talos: str, kubernetes: str, talosctl: str) -> Fit:
    """Judge three versions as their owners print them (`v1.13.9`). Raises ValueError for a text that is no version."""
    problems: list[str] = []
    unjudged: list[str] = []
    if known(talos):
        found = kubernetes_wrong(talos, kubernetes)
        if found is not None:
            problems.append(found)
    else:
        unjudged.append(f"which Kubernetes Talos {talos} runs is not known to this version of Blackstart")
    wrong, remark = _talosctl(talos, talosctl)
    return Fit((*problems, *wrong), tuple(unjudged), remark)


def _talosctl(talos: str, talosctl: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with this talosctl, and what is worth a remark."""
    (major, minor), (client_major, client_minor) = minor_of(talos), minor_of(talosctl)
    if major != client_major or minor - client_minor > _TALOSCTL_APART:
        return (f"talosctl {talosctl} is not for Talos {talos}: take one of {major}.{minor}",), ()
    if client_minor >= _ASKS_FIRST and minor <= _REFUSES:
        return (f"talosctl {talosctl} cannot look at a node of Talos {talos} in maintenance mode: take one of 1.13",), ()
    if client_minor - minor > _TALOSCTL_APART:
        return (), (f"talosctl {talosctl} is {client_minor - minor} minors newer than Talos {talos}, which it warns of",)
    return (), ()
