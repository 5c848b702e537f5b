"""Make a Talos secrets bundle where there is none: by a person's approval, which says what becomes unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class LostSecrets(Identity):
    """The cluster whose secrets are given up for lost, and the bundle that is made instead."""

    cluster: str
    bundle: str

    def __str__(self) -> str:
        return (
            f"what was made with the Talos secrets of {self.cluster} before: etcd's data and snapshots, every talosconfig and "
            "kubeconfig, and the machineconfigs of nodes that are off now become useless for good"
        )


@dataclass(frozen=True)
class MakeSecrets(BaseStep):
    """A bundle that opens. One that is there and does not open is never replaced."""

    house: House
    system = "workstation"
    id = StepId("talos.make-secrets")
    title = "Talos secrets bundle"
    needs = ("preflight.age-key", "preflight.unconfigured")

    @property
    def inputs(self) -> str:
        return str(self.house.cluster.secrets_bundle)

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        bundle = self.house.cluster.secrets_bundle
        if not look.machineconfigs.bundle_there():
            lost = LostSecrets(self.house.cluster.name, str(bundle))
            return missing(f"{bundle.name} is missing", str(bundle), identity=lost)
        problem = look.machineconfigs.bundle_problem()
        if problem:
            raise PermanentError(
                f"the Talos secrets bundle is there, cannot be used, and is never replaced: {problem}",
                evidence=(str(bundle),),
                hint="take it back from Git, or find the age key that it was encrypted for",
            )
        return satisfied("a secrets bundle is there, and opens")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.machineconfigs.make_bundle()

    def by_hand(self) -> str:
        bundle = self.house.cluster.secrets_bundle
        encrypt = f"sops encrypt --input-type yaml --output-type yaml --filename-override {bundle}"
        return f"(cd {bundle.parent} && set -o noclobber && talhelper gensecret | {encrypt} > {bundle.name})"


def steps(house: House) -> Iterator[MakeSecrets]:
    """One for the house."""
    yield MakeSecrets(house)
