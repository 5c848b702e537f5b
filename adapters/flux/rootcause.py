"""Why a Flux graph is stuck: the few objects that fail themselves, out of the many that only wait for them. Pure: knows no API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from adapters.flux.results import FluxState, KustomizationState


class Cause(Enum):
    """What kind of thing holds the graph up, the most telling first."""

    STALLED = "stalled"
    SOURCE = "source"
    CYCLE = "dependency cycle"
    ABSENT = "dependency is not there"
    SUSPENDED = "suspended, and others wait for it"
    FAILS = "fails"
    RUNS = "still running"


@dataclass(frozen=True)
class RootCause:
    """One cause: which object (`namespace/name`), what is the matter, in Flux's own words, and what usually helps."""

    cause: Cause
    key: str
    reason: str
    message: str
    hint: str = ""


_WAITING = ("DependencyNotReady", "")
_HINTS: tuple[tuple[str, str], ...] = (
    (
        "identity did not match any of the recipients",
        "the age key in Secret sops-age is not the recipient in .sops.yaml",
    ),
    ("failed to load age identities", "the key in Secret sops-age must have a name that ends in .agekey"),
    ("sops-age", "put the age key into Secret sops-age"),
    ("cannot get sops data key", "the age key in Secret sops-age cannot decrypt this file"),
    ("variable not set", "a variable of postBuild has no value in substitute or substituteFrom"),
    ("no matches for kind", "a definition is missing: let the Kustomization depend on the one that brings it"),
    ("kustomization path not found", "spec.path names a folder that this commit does not have"),
    ("authentication required", "the Git source needs credentials, or they are wrong"),
    ("couldn't find remote ref", "the branch does not exist"),
)


def root_causes(state: FluxState) -> tuple[RootCause, ...]:
    """The causes, the most telling first; empty when every Kustomization that is not suspended is ready.

    A Kustomization that only waits (DependencyNotReady) is never a cause: what it waits for is, or the wait itself when the
    dependency is absent, suspended, or waits for it in turn.
    """
    graph = {k.key: k for k in state.kustomizations}
    stuck = {k.key: k for k in state.kustomizations if not k.ready and not k.suspended}
    found: list[RootCause] = []
    if not state.source.ready and (stuck or state.source.present):
        cause = RootCause(Cause.SOURCE, state.source.name, "", state.source.reason, _hint(state.source.reason))
        found.append(cause)
    for key, k in stuck.items():
        if k.reason in _WAITING and k.depends_on:
            found += _why_waiting(k, graph)
        else:
            found.append(_own(k, key))
    found += _cycles(stuck)
    found += [
        _own(r, f"HelmRelease {r.key}") for r in state.stuck_releases if r.reason not in (*_WAITING, "Progressing")
    ]
    order = list(Cause)
    return tuple(sorted(dict.fromkeys(found), key=lambda c: (order.index(c.cause), c.key)))


def _own(k: KustomizationState, key: str) -> RootCause:
    cause = Cause.STALLED if k.stalled else Cause.RUNS if k.reason in ("Progressing", "") else Cause.FAILS
    return RootCause(cause, key, k.reason, k.message, _hint(k.message))


def _why_waiting(k: KustomizationState, graph: Mapping[str, KustomizationState]) -> Iterable[RootCause]:
    for below in k.depends_on:
        if below not in graph:
            yield RootCause(Cause.ABSENT, below, k.reason, f"{k.key} waits for it", "correct dependsOn, or bring it")
        elif graph[below].suspended and not graph[below].ready:
            yield RootCause(
                Cause.SUSPENDED, below, k.reason, f"{k.key} waits for it",
                f"flux -n {graph[below].namespace} resume kustomization {graph[below].name}",
            )


def _cycles(stuck: Mapping[str, KustomizationState]) -> Iterable[RootCause]:
    """One cause for every Kustomization that waits, by way of others, for itself; told once for each circle."""
    told: set[str] = set()
    for key in sorted(stuck):
        way = _way_back(key, stuck)
        if way and not told & set(way):
            told |= set(way)
            yield RootCause(Cause.CYCLE, key, "", " -> ".join((*way, key)), "dependsOn goes in a circle")


def _way_back(start: str, stuck: Mapping[str, KustomizationState]) -> tuple[str, ...]:
    """The way from `start` along dependsOn back to itself, () when there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for below in stuck[way[-1]].depends_on:
            if below == start:
                return way
            if below in stuck and below not in seen:
                seen.add(below)
                ways.append((*way, below))
    return ()


def _hint(message: str) -> str:
    return next((hint for part, hint in _HINTS if part in message), "")
