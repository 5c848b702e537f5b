"""What stands between each bucket's backups and whoever deletes them: versions, locks, whose keys could undo that. Looks only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from adapters.backups.stores.places import s3_address
from adapters.versions.port import VersionsView
from adapters.versions.results import Keeping, May, StoreGuard, Undoing
from cluster.backups.audit import repository_of
from engine.errors import BlackstartError
from engine.workers import Workers, each
from house.model import BackedUpClaim, House

_AT_ONCE = 8
_MOVERS = "the movers' own"


@dataclass(frozen=True)
class BucketAudit:
    """One bucket: whose backups lie there, what it keeps, whose keys may take versions away. `guard` None: `why` nobody knows."""

    bucket: str
    claims: tuple[str, ...]
    guard: StoreGuard | None
    keys: tuple[Undoing, ...] = ()
    why: str = ""

    @property
    def safe(self) -> bool:
        """Whether what a key deletes stays for a while, by all that was seen: versions are kept, and no key may take them away."""
        kept = self.guard is not None and self.guard.keeping is Keeping.KEPT
        return kept and bool(self.keys) and all(one.may is May.NO for one in self.keys)


def audit_buckets(
    versions: VersionsView, house: House, workers: Workers, silent: Collection[str] = (), not_asked: str = ""
) -> tuple[BucketAudit, ...]:
    """Every bucket that a claim's backup lies in, by name. Nothing is raised: what could not be asked is told.

    Of those where all backups are `silent` (by `source_key`) nothing is asked again; `not_asked` says why no cluster is, "" where
    one is.
    """
    found: dict[str, list[BackedUpClaim]] = {}
    for claim in house.claims:
        for place in claim.sources:
            if (address := s3_address(place.open_as)) is not None:
                found.setdefault(f"{address.endpoint}/{address.bucket}", []).append(place)

    def look(bucket: str) -> BucketAudit:
        places = found[bucket]
        if all(place.source_key in silent for place in places):
            return BucketAudit(bucket, tuple(place.source_key for place in places), None, why="the store gave no answer")
        return _audited(versions, house, bucket, places, not_asked)

    return tuple(each(workers, look, sorted(found), at_once=_AT_ONCE))


def _audited(
    versions: VersionsView, house: House, bucket: str, places: list[BackedUpClaim], not_asked: str
) -> BucketAudit:
    claims = tuple(place.source_key for place in places)
    try:
        guard = versions.guard(repository_of(house, places[0]))
    except BlackstartError as error:
        return BucketAudit(bucket, claims, None, why="; ".join((error.what, *error.evidence)))
    if guard.keeping in (Keeping.NONE, Keeping.UNKNOWN) and not guard.lock:
        return BucketAudit(bucket, claims, guard)  # a key is tried only where there is a version that it could take away
    keys = {_MOVERS: Undoing(_MOVERS, May.UNKNOWN, not_asked)} if not_asked else dict[str, Undoing]()
    for place in places:
        try:
            told = versions.undoing(repository_of(house, place), place.namespace, "" if not_asked else place.repository_secret)
        except BlackstartError as error:
            told = (Undoing(f"what opens {place.source_key}", May.UNKNOWN, error.what),)
        for one in told:
            # Two claims may be opened by two keys of the settings: the worse answer is the bucket's.
            known = keys.get(one.key)
            keys[one.key] = one if known is None or _bad(one) > _bad(known) else known
    return BucketAudit(bucket, claims, guard, tuple(keys.values()))


def _bad(one: Undoing) -> int:
    return (May.NO, May.UNKNOWN, May.YES).index(one.may)
