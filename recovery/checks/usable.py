"""Whether the application's own users and groups can read and write what comes back: said before it starts on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.backups.audit import repository_of
from cluster.backups.sources import place_of
from cluster.hold.standing import standing
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.files.shapes import mapping
from house.model import BackedUpClaim, House
from recovery.compared.access import Left, as_left, denied
from recovery.compared.identities import User, users_of

_PRIVILEGED = "volsync.backube/privileged-movers"


@dataclass(frozen=True)
class Usable(BaseCheck):
    """Every container that mounts the claim, against the owners and modes of the pinned snapshot as its mover leaves them."""

    house: House
    claim: BackedUpClaim
    users: tuple[User, ...]
    severity = Severity.ADVISORY
    sight_s = 0.0

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.usable/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"what comes back of {self.claim.key} is its application's to use"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.pin/{self.claim.key}",)

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.entry is None or there.through:
            return satisfied(there.told)
        if not there.entry.snapshot_id:
            return unknown("no restore point is chosen yet")
        place = place_of(self.claim, there.entry.origin)
        listing = look.backups.listing(repository_of(self.house, place), there.entry.snapshot_id)
        if not listing.complete:
            return unknown(f"the list of snapshot {there.entry.snapshot_id[:8]} broke off", listing.detail)
        told, unseen = [], []
        ways = [as_left(listing.entries, left) for left in self._left()]
        for user in self.users:
            found = [denied(user, entries) for entries in ways]
            kept_out = [one.told for one in found if one.unread or one.unwritten]
            if user.uid is None and not user.mighty:
                unseen.append(f"{user.who} runs as its image says: not known")
            elif len(kept_out) == len(ways):
                told.append(kept_out[0])
            elif kept_out:
                unless = f"unless movers of {self.claim.namespace} may set owners, which Git does not show"
                unseen.append(f"{kept_out[0]}, {unless}")
        if told:
            hint = "in Git: the application's runAsUser, fsGroup or an init container, or its mover's moverSecurityContext"
            return missing(f"{number(len(told), 'container')} kept out of what comes back", *told, *unseen, hint=hint)
        if unseen:
            return unknown(f"{len(unseen)} of {number(len(self.users), 'container')} not judged", *unseen)
        count = number(len(listing.entries), "entry", "entries")
        return satisfied(f"{number(len(self.users), 'container')}, {count}: each can be used")

    def _left(self) -> tuple[Left | None, ...]:
        """As whom the mover may restore: by itself, or (None) as one that can set owners, where its namespace says so."""
        by_itself = Left(self.claim.uid or 0, self.claim.gid)
        for one in self.house.rendered.of_kind("", "Namespace"):
            if one.name == self.claim.namespace:
                annotations = mapping(mapping(one.body.get("metadata")).get("annotations"))
                return (None,) if str(annotations.get(_PRIVILEGED)).lower() == "true" else (by_itself,)
        return (by_itself, None)

    def by_hand(self) -> str:
        return f"invoke dr.list {self.claim.key} / --json   # uid, gid and mode of each"


def checks(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[Usable]:
    """One for every claim of which Git shows who mounts it."""
    for claim in claims:
        if users := users_of(house, claim):
            yield Usable(house, claim, users)
