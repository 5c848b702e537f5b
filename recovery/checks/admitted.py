"""Whether a claim's namespace lets in the pod that restores it, and ours that reads it: said before either is tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing
from engine.step import BaseCheck, StepId
from house.data.pod_security import RefusedMover, refused_movers
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Admitted(BaseCheck):
    """Pod Security by what Git says of the namespace and of the claim's ReplicationDestination: it would refuse the mover's pod."""

    claim: BackedUpClaim
    refused: RefusedMover
    sight_s = 0.0

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.admitted/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"the namespace of {self.claim.key} lets its mover in"

    def probe(self, look: LookContext) -> Probe:
        one = self.refused
        return missing(
            f"the mover of {one.told} would be refused", one.why, f"{one.kind} {one.name} is declared in {one.declared_in}",
            hint=one.todo + (f"; {' '.join(one.patch.split())}" if one.patch else ""),
        )  # fmt: skip

    def by_hand(self) -> str:
        return f"kubectl get namespace {self.claim.namespace} -o yaml   # its label pod-security.kubernetes.io/enforce"


def checks(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[Admitted]:
    """One for every claim to restore whose mover Git's own namespace refuses; none where nothing speaks against it."""
    refused = {(one.namespace, one.name): one for one in refused_movers(house.rendered) if one.kind == "ReplicationDestination"}
    for claim in claims:
        found = refused.get((claim.namespace, claim.destination))
        if found is not None:
            yield Admitted(claim, found)
