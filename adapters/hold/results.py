"""The hold's record as typed values (architecture §7). Knows nothing of ConfigMaps or HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import Enum

from adapters.archives.results import RecoveryPoint
from engine.errors import TransientError
from engine.text.digest import digest

NO_ENTRY = "no entry"
"""What `HeldClaim.seen` says where the record was looked at and did not have the claim."""
ARCHIVES_UNRECOVERED = " archives and has no bootstrap.recovery"
"""Behind `database namespace/name`: what the hold says of a database that it refuses, and what Flux then repeats."""


class HoldState(Enum):
    """A claim's way through the hold."""

    HELD = "held"
    PROVEN = "proven"
    RELEASED = "released"
    ACCEPTED_EMPTY = "accepted-empty"


@dataclass(frozen=True)
class HeldClaim:
    """One claim of the record. `replaces` is the uid of a bound claim whose data the pin is to replace, by approval.

    `image_uid` is the uid of the VolumeSnapshot `image`, `volume` what the claim was bound to when it was looked at and released.
    `pin` is RFC 3339 at whole seconds, "" while not yet pinned. `since` (held) and `released` (let go, accepted empty too; 0.0
    for not, or nobody knows when) in seconds since the epoch. `uid` is the claim that was held while it was alive, or that was
    let go ("" for none, or nobody knows); `filling` says that it had no volume yet when it was let go. `seen` marks the entry as
    it was read: what was read and then changed (`replace`) carries it, and is not written over an entry that somebody else has
    changed meanwhile; "" asks for none of that. `origin` is the Secret of the repository that the pin is of ("" for the claim's
    first one), `chosen` why it is that one, in words, where there were several. `undo` names the kept volume that is to come back
    in the place of what is there (`replaces`), "" where a restore is on its way.
    """

    namespace: str
    claim: str
    state: HoldState
    destination: str
    source: str
    repository_id: str = ""
    snapshot_id: str = ""
    pin: str = ""
    image: str = ""
    proof: str = ""
    depth: str = ""
    reason: str = ""
    since: float = 0.0
    replaces: str = ""
    released: float = 0.0
    image_uid: str = ""
    volume: str = ""
    uid: str = ""
    filling: bool = False
    origin: str = ""
    chosen: str = ""
    undo: str = ""
    seen: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """`namespace/claim`."""
        return f"{self.namespace}/{self.claim}"

    def as_read(self) -> HeldClaim:
        """The same entry, with the mark of what was read."""
        values = [(each.name, getattr(self, each.name)) for each in fields(self) if each.compare]
        return replace(self, seen=digest([(name, v.value if isinstance(v, HoldState) else v) for name, v in values]))

    def refuse_over(self, there: HeldClaim | None) -> None:
        """TransientError when this was made of another entry than the one that is `there` now: look again."""
        found = there.as_read().seen if there is not None else NO_ENTRY
        if self.seen in ("", found) or there == self:
            return
        now = "is gone" if there is None else f"says {there.state.value} now"
        told = () if there is None else tuple(filter(None, (there.reason, f"restore point {there.pin}" if there.pin else "")))
        raise TransientError(
            f"The record of {self.key} was changed by somebody else meanwhile: it {now}",
            evidence=(*told, f"not written: {self.state.value}"),
        )


@dataclass(frozen=True)
class AcceptedDatabase:
    """A CloudNativePG cluster that may be made empty beside its own archive. `since` it may, in seconds since the epoch."""

    namespace: str
    name: str
    reason: str = ""
    since: float = 0.0

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class PinnedDatabase:
    """A CloudNativePG cluster that is made again from an archive: `point` at `place`, chosen once, `since` then.

    `uid` is the Cluster that was proven (`proven`, epoch seconds, 0.0 for not yet), `depth` what was compared, `refuted` in what
    the one that is there was found not to be what was promised ("" for nothing, or not looked yet).
    """

    namespace: str
    name: str
    place: str
    point: RecoveryPoint
    since: float = 0.0
    uid: str = ""
    proven: float = 0.0
    depth: str = ""
    refuted: str = ""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class HoldRecord:
    """The whole record. `present` False: no record, which the policies answer by refusing everything.

    A database that is not among `databases` may not be made when it archives and does not recover. `rebuilt`: this cluster was
    made anew and claims are held of it still, so that movers of what nobody declared are refused in every namespace.
    """

    present: bool
    claims: tuple[HeldClaim, ...] = ()
    databases: tuple[AcceptedDatabase, ...] = ()
    rebuilt: bool = False
    pinned: tuple[PinnedDatabase, ...] = ()

    def claim(self, namespace: str, name: str) -> HeldClaim | None:
        """The entry of one claim, or None."""
        return next((c for c in self.claims if c.namespace == namespace and c.claim == name), None)

    def database(self, namespace: str, name: str) -> AcceptedDatabase | None:
        """The entry of one database that was accepted empty, or None."""
        return next((d for d in self.databases if d.namespace == namespace and d.name == name), None)

    def pinned_database(self, namespace: str, name: str) -> PinnedDatabase | None:
        """The entry of one database that is made again from an archive, or None."""
        return next((d for d in self.pinned if d.namespace == namespace and d.name == name), None)


class Verdict(Enum):
    """What an API server's answer says of the hold. Only the first is proof: any other refusal may let the next claim through."""

    REFUSED = "refused, by the record as it is now"
    ADMITTED = "admitted"
    STALE = "judged by another record than the one that is there now"
    OTHER = "not answered by the hold"


@dataclass(frozen=True)
class Refusal:
    """One API server's answer to a dry-run of one kind that the hold must refuse. `detail`: its words."""

    server: str
    kind: str
    verdict: Verdict
    detail: str

    @property
    def refused(self) -> bool:
        """Whether it was refused as it must be: by the hold, and by the record as it is now."""
        return self.verdict is Verdict.REFUSED
