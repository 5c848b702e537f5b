"""Compare the restored image with the snapshot's own list, and write the proof into the hold's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import Snapshot
from cluster.backups.audit import repository_of
from cluster.backups.proofs import PROOF_NOTE, Kind, Proof
from cluster.backups.sources import place_of
from cluster.by_hand import record_by_hand, restic_by_hand
from cluster.hold.holding import what_holds
from cluster.hold.standing import Way, standing
from cluster.machines.absent import silent_servers
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.text.words import number
from house.model import BackedUpClaim, House
from recovery.compared.against import against
from recovery.compared.comparison import Comparison
from recovery.record import is_another, pinned

SHOWN = 20


CHOSEN = 'ls -l "$SNAPSHOT"'


@dataclass(frozen=True)
class ProveImage(BaseStep):
    """The claim is proven for exactly the image that VolSync would fill it from."""

    house: House
    claim: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.prove/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} compared with its snapshot"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.restore/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        entry = there.entry
        if entry is None or not (there.held or there.through):
            return unknown(f"not held: {there.told}")
        if there.through:
            return satisfied(entry.depth or entry.reason or there.told)
        if there.way is not Way.PROVEN:
            return missing("not compared yet")
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        image = state.image
        if image and image != entry.image:
            return drifted(f"VolSync restored again since: {image}, proven was {entry.image}", "image")
        if is_another(state, entry):
            return drifted(f"{image} was made anew under its name since it was compared", "image")
        return satisfied(f"proven: {entry.depth}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = pinned(act.hold, self.claim)
        state = act.claims.destination(self.claim.namespace, self.claim.destination)
        image, image_uid = state.image, state.image_uid
        if not image:
            what = f"{self.claim.key} has no image to compare"
            raise PermanentError(what, hint="the same again restores it anew", next_command="invoke dr.plan")
        result = self.comparison(act, entry, image)
        if result.differences:
            # Seen twice, it speaks against the image: a held claim with an image is one whose restore the next run does again.
            if result.whole and self.comparison(act, entry, image).differences == result.differences:
                act.hold.put(replace(entry, state=HoldState.HELD, image=image))
            more = len(result.differences) - SHOWN
            told = (*result.differences[:SHOWN], *((f"and {more} more",) if more > 0 else ()))
            raise PermanentError(
                f"{self.claim.key} did not come back as it was backed up: {number(len(result.differences), 'difference')}",
                evidence=told,
                hint=what_holds(act.hold, silent_servers(act.proxmox, act.cluster, self.house)),
            )
        after = act.claims.destination(self.claim.namespace, self.claim.destination)
        if (after.image, after.image_uid) != (image, image_uid):
            raise TransientError(f"the image of {self.claim.key} was made anew while it was compared")
        proof = Proof(
            Kind.CLAIM, self.claim.key, entry.repository_id, entry.snapshot_id, entry.pin, result.depth, result.proof, result.files
        )
        notes.put(PROOF_NOTE, proof.note())
        act.hold.put(
            replace(entry, state=HoldState.PROVEN, image=image, image_uid=image_uid, proof=result.proof, depth=result.depth)
        )

    def comparison(self, act: ActContext, entry: HeldClaim, image: str) -> Comparison:
        """The image as it was held against the snapshot in the cluster; where restic could not be asked there, by hashes."""
        snapshot = Snapshot(entry.repository_id, entry.snapshot_id)
        asked = partial(act.claims.compare, self.claim.namespace, image, self.claim.destination, snapshot)
        return against(act.backups, repository_of(self.house, place_of(self.claim, entry.origin)), entry.snapshot_id, asked)

    def by_hand(self) -> str:
        claim = self.claim
        place = f"{claim.namespace}.{claim.claim}"
        found = f"kubectl -n {claim.namespace} get replicationdestination {claim.destination}"
        image = f"{found} -o jsonpath='{{.status.latestImage.name}}'"
        listed = f"read -rp 'id of its snapshot: ' SNAPSHOT && {restic_by_hand(claim, CHOSEN)}"
        same = """read -rp 'mounted in a pod, has the image exactly these files? yes or no: ' SAME && [ "$SAME" = yes ]"""
        proven = record_by_hand({f"state.{place}": "proven", f"image.{place}": "$IMAGE"})
        return f'IMAGE="$({image})" && echo "$IMAGE" && {listed} && {same} && {proven}'


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[ProveImage]:
    """One for every claim to restore."""
    for claim in claims:
        yield ProveImage(house, claim)
