"""Whether the repository declares a destination for each claim that a restore can go through, before anything is begun."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.context import LookContext
from engine.errors import PermanentError
from engine.probe import Probe, satisfied
from engine.step import BaseCheck, StepId
from house.model import BackedUpClaim, House
from recovery.destination import SNAPSHOT, no_image


@dataclass(frozen=True)
class Restorable(BaseCheck):
    """A ReplicationDestination whose restores end in an image: without one VolSync is waited for in vain."""

    root: Path
    claim: BackedUpClaim

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.destination/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"destination of {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        claim = self.claim
        if not claim.destination:
            raise PermanentError(
                f"{claim.key} cannot be restored: no ReplicationDestination of the repository restores it",
                evidence=(f"its backup is declared in {claim.declared_in}",),
                hint=f"right would be, in Git: a ReplicationDestination from the Secret {claim.repository_secret} with "
                f"`copyMethod: {SNAPSHOT}`, and the claim's dataSourceRef naming it; --claims restores the others meanwhile",
            )
        if claim.copy_method != SNAPSHOT and "${" not in claim.copy_method:
            raise no_image(claim, claim.copy_method)
        return satisfied(claim.destination)

    def by_hand(self) -> str:
        where = f"git -C {shlex.quote(str(self.root))} grep -n -A20 'kind: ReplicationDestination'"
        return f"{where}   # {self.claim.destination or 'one'}: copyMethod: {SNAPSHOT}"


def checks(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[Restorable]:
    """One for every claim to restore."""
    for claim in claims:
        yield Restorable(house.root, claim)
