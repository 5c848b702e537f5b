"""The clone port, in process: a clean clone at the branch's commit, unless a test says otherwise. Knows no git."""

from __future__ import annotations

from adapters.git.results import CloneState
from lab.ports.machines.machineconfigs import ModelledHouse
from lab.world.cluster.kubernetes import KubeWorld


class ModelledClone:
    """Clone port (ports.CloneView). `files` says what is uncommitted here and where the clone stands."""

    def __init__(self, kube: KubeWorld, files: ModelledHouse) -> None:
        self._kube = kube
        self._files = files

    def state(self) -> CloneState:
        """See ports.CloneView."""
        branch, problem = self._kube.house.flux.branch, self._files.remote_problem
        return CloneState(self.commit(), branch, self._files.dirty, "" if problem else self._kube.git_commit, problem)

    def commit(self) -> str:
        """See ports.CloneView."""
        return self._files.commit or self._kube.git_commit

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """See ports.CloneView."""
        return commit == ancestor
