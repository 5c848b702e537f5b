"""Whether a ReplicationDestination restores from another Secret than Git gives it: the next restore would take what is there."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.volsync.results import DestinationState
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Destinations(BaseCheck):
    """None is turned. A restore from another place of its claim turns one, and turns it back when the claim is released.

    Flux leaves one that we have turned as it is, so that nobody else would tell.
    """

    house: House
    id = StepId("backup.destinations")
    title = "each claim is restored from where Git says"
    severity = Severity.WATCHED
    needs = ("flux.reconcile",)

    def probe(self, look: LookContext) -> Probe:
        seen = [
            (look.claims.destination(claim.namespace, claim.destination), claim.git_secret)
            for claim in self.house.claims if claim.destination
        ]  # fmt: skip
        turned = [(state, git) for state, git in seen if state.instead_of or state.repository not in ("", git)]
        if not turned:
            absent = sum(not state.present for state, _ in seen)
            return satisfied(f"none is turned; {absent} of {len(seen)} not there (yet)" if absent else "none is turned")
        told = number(len(turned), "destination is", "destinations are")
        return drifted(
            f"{told} turned to another Secret than Git's",
            *(f"{state.namespace}/{state.name}: {state.repository}, in Git {git}" for state, git in turned),
            hint=_hint(*turned[0]),
        )

    def by_hand(self) -> str:
        columns = "NS:.metadata.namespace,NAME:.metadata.name,SECRET:.spec.restic.repository"
        return f"kubectl get replicationdestinations.volsync.backube -A -o custom-columns={columns}   # each is Git's"


def _hint(state: DestinationState, git: str) -> str:
    if state.instead_of:
        return "a restore of ours has turned it, and is not over: invoke dr.restore goes on with it, and turns it back at its end"
    patch = '{"spec":{"restic":{"repository":"' + git + '"}}}'
    return (
        "somebody else has; Flux puts it back unless it is told not to, by hand: "
        f"kubectl -n {state.namespace} patch replicationdestination {state.name} --type=merge -p '{patch}'"
    )


def check(house: House) -> Destinations:
    """The check of this house."""
    return Destinations(house)
