"""What the Flux port answers. Knows nothing of custom resources or HTTP."""

from __future__ import annotations

from dataclasses import dataclass

SUSPENDED = "blackstart/suspended"
"""Annotation of a Kustomization: this suspension is ours. It comes and goes in the same patch as the suspension itself."""


@dataclass(frozen=True)
class SourceState:
    """The Git source: the commit Flux has fetched ("" for none yet), whether it is ready, and why not.

    `name` is `namespace/name`. `suspended`: it fetches nothing until somebody resumes it.
    """

    name: str
    present: bool
    ready: bool
    commit: str
    reason: str
    suspended: bool = False


@dataclass(frozen=True)
class KustomizationState:
    """One Flux Kustomization. `commit` is the last one applied; `depends_on` holds `namespace/name`.

    `ours`: it is suspended, and by us. `asked`: when anybody last asked Flux to look at it, in seconds since the epoch (0.0 for
    never, or in a form that is no time).
    """

    namespace: str
    name: str
    ready: bool
    suspended: bool
    reconciling: bool
    commit: str
    reason: str
    message: str
    depends_on: tuple[str, ...]
    stalled: bool = False
    ours: bool = False
    asked: float = 0.0

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class FluxState:
    """The whole graph as it stands: the source, every Kustomization and every HelmRelease that is not ready."""

    installed: bool
    source: SourceState
    kustomizations: tuple[KustomizationState, ...]
    stuck_releases: tuple[KustomizationState, ...] = ()
