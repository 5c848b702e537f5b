"""What the port of kept volumes answers. Knows nothing of HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class KeptState(Enum):
    """Who has a kept volume now."""

    IN_USE = "in use"
    FREE = "free"
    PROMISED = "promised to its claim"
    ASIDE = "aside, to be looked at"
    UNKNOWN = "unknown"


class Word(Enum):
    """What a volume that outlived its cluster was found to be, held against the newest backup."""

    SAME = "the same as the backup"
    NEWER = "newer than the backup, and sound"
    OLDER = "older than the backup"
    DAMAGED = "damaged"
    UNREADABLE = "not readable"
    ALONE = "all there is"


@dataclass(frozen=True)
class Found:
    """What was found on such a volume, why that is said, and the snapshot that it was held against ("" for none).

    `only` is how many paths of an older one are on it and not in that snapshot, or may be there in a later state.
    """

    word: Word
    told: str
    against: str = ""
    only: int = 0


@dataclass(frozen=True)
class KeptVolume:
    """A volume that stays although the claim that it was kept of goes. `name` is the PersistentVolume's, `handle` what its storage
    calls it (as ClaimState.volume has it), `uid` the claim whose data it holds, `since` when it was kept (seconds since the epoch).

    `state` FREE: no claim has it. PROMISED: the next claim of its name is bound to it, and none is yet. IN_USE: the claim of uid
    `held_by` has it. `policy` is what its storage does with it once it is let go and no claim has it: `Delete` or `Retain`.
    `stays`: the policy that it has now is to stay; where a hand has changed that, our mark keeps nothing.

    `brought`: it is a volume of a cluster that is lost, written here again; `since` is when its inventory was taken then, and `uid`
    is "". ASIDE: no claim but one of ours may have it, until `found` says what is on it (None: nobody has looked).
    """

    name: str
    namespace: str
    claim: str
    uid: str
    since: float
    state: KeptState
    handle: str = ""
    size: str = ""
    storage_class: str = ""
    held_by: str = ""
    policy: str = "Delete"
    stays: bool = True
    brought: bool = False
    found: Found | None = None

    @property
    def key(self) -> str:
        """`namespace/claim`."""
        return f"{self.namespace}/{self.claim}"


_ASIDE = "blackstart-"


def aside_of(claim: str) -> str:
    """The claim of ours, in the same namespace, through which a volume of this claim is looked at."""
    return f"{_ASIDE}{claim}"


def is_aside(claim: str) -> bool:
    """Whether a claim is called as those of ours are."""
    return claim.startswith(_ASIDE)
