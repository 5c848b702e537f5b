"""Make the namespaces that releases and secrets need before Flux is there to make them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class CreateNamespace(BaseStep):
    """One namespace."""

    namespace: str
    system = "kubernetes"
    needs = ("kubernetes.api-servers",)

    @property
    def id(self) -> StepId:
        return StepId(f"kubernetes.create-namespace/{self.namespace}")

    @property
    def title(self) -> str:
        return f"namespace {self.namespace}"

    @property
    def inputs(self) -> str:
        return self.namespace

    def probe(self, look: LookContext) -> Probe:
        if self.namespace in look.cluster.namespaces():
            return satisfied("it is there")
        return missing("it is not there")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.cluster.create_namespace(self.namespace)

    def by_hand(self) -> str:
        return f"kubectl get namespace {self.namespace} || kubectl create namespace {self.namespace}"


def steps(house: House) -> Iterator[CreateNamespace]:
    """One for every namespace of the house's releases and of Flux."""
    for namespace in house.namespaces:
        yield CreateNamespace(namespace)
