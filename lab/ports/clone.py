"""The clone port, in process: a clean clone at the branch's commit, unless a test says otherwise. Knows no git."""

from __future__ import annotations

from adapters.git.results import CloneState
from lab.world.kubernetes import KubeWorld


class ModelledClone:
    """Clone port (ports.CloneView). `dirty` holds uncommitted paths; `commit` "" means: at the branch's commit."""

    def __init__(self, kube: KubeWorld, dirty: tuple[str, ...] = (), commit: str = "") -> None:
        self._kube = kube
        self.dirty = dirty
        self.commit = commit

    def state(self) -> CloneState:
        """See ports.CloneView."""
        return CloneState(self.commit or self._kube.git_commit, self._kube.house.flux.branch, self.dirty, self._kube.git_commit)

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """See ports.CloneView."""
        return commit == ancestor
