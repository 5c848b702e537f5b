"""Whether the age key is here and is the recipient's: for what needs it before there is a Talos secrets bundle to open."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import secret_by_hand
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class AgeKey(BaseCheck):
    """The key that can open what is encrypted for the repository's recipient."""

    house: House
    id = StepId("preflight.age-key")
    title = "the age key is the recipient's"

    def probe(self, look: LookContext) -> Probe:
        if not self.house.age_recipient:
            return missing(".sops.yaml names no age recipient: nobody can be encrypted for")
        return unusable(look, self.house) or satisfied(f"it is that of {self.house.age_recipient}")

    def by_hand(self) -> str:
        return recipient_by_hand(self.house)


def unusable(look: LookContext, house: House) -> Probe | None:
    """Why the age key cannot be used, None when it can."""
    problem = look.machineconfigs.age_key_problem()
    return missing(f"the age key cannot be used: {problem}", f".sops.yaml names {house.age_recipient}") if problem else None


def recipient_by_hand(house: House) -> str:
    """The command that prints the key's public half."""
    return f"({secret_by_hand(house.age_key)}) | age-keygen -y   # is {house.age_recipient}"


def check(house: House) -> AgeKey:
    """The check of this house."""
    return AgeKey(house)
