"""Whether the policy that mounts a claim's repository into its mover can work in this cluster, before the mover runs without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.declared.kinds import Kind
from house.model import BackedUpClaim, House
from house.repository.backups.mover_policies import BINDING, KIND, MoverPolicy
from recovery.movers import mounting, nothing_mounts

POLICIES_BY_HAND = "kubectl get mutatingadmissionpolicies,mutatingadmissionpolicybindings   # what mounts it, and its binding"


@dataclass(frozen=True)
class Mounted(BaseCheck):
    """Of the policies that Git shows one is bound, and the API serves it in the version that it is written in.

    Where Git shows none something else may mount it: what a mover sees is asked before it is let loose.
    """

    house: House
    claim: BackedUpClaim

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.mount/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"repository of {self.claim.key} mounted into its mover"

    def probe(self, look: LookContext) -> Probe:
        policies = mounting(self.house, self.claim)
        if not policies:
            return satisfied(nothing_mounts(self.claim))
        served = look.cluster.served()
        wrong = [why for one in policies if (why := _lacks(one, served))]
        if len(wrong) < len(policies):
            return satisfied(f"{policies[0].mount} by {KIND} {', '.join(one.name for one in policies)}")
        return missing(
            f"nothing would mount {policies[0].mount} into the mover: {wrong[0]}",
            *(f"{one.name} is declared in {one.declared_in}" for one in policies),
            hint="write it in a version that is served and bind it, or have the API servers serve that one: runtime-config and, "
            "where that Kubernetes has one, the feature gate, in cluster.apiServer.extraArgs of Talos",
        )

    def by_hand(self) -> str:
        return POLICIES_BY_HAND


def _lacks(policy: MoverPolicy, served: frozenset[Kind]) -> str:
    """Why this policy does nothing here, "" where nothing speaks against it."""
    if Kind(policy.api, KIND) not in served:
        others = sorted(kind.api for kind in served if kind.name == KIND)
        told = f"served is {', '.join(others)}" if others else "no version of it is served"
        return f"{KIND} {policy.name} is of {policy.api}, which this Kubernetes does not serve ({told})"
    if not policy.bindings:
        return f"{KIND} {policy.name} is bound by nothing: no {BINDING} names it"
    if not any(Kind(api, BINDING) in served for api in policy.bindings):
        return f"{BINDING} of {policy.name} is of {policy.bindings[0]}, which this Kubernetes does not serve"
    return ""


def checks(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[Mounted]:
    """One for every claim to restore whose one repository is a path inside its mover; several places pass each other over."""
    for claim in claims:
        if len(claim.sources) == 1 and claim.mover_repository.startswith("/"):
            yield Mounted(house, claim)
