"""What the port of kept volumes answers. Knows nothing of HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class KeptState(Enum):
    """Who has a kept volume now."""

    IN_USE = "in use"
    FREE = "free"
    PROMISED = "promised to its claim"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class KeptVolume:
    """A volume that stays although the claim that it was kept of goes. `name` is the PersistentVolume's, `handle` what its storage
    calls it (as ClaimState.volume has it), `uid` the claim whose data it holds, `since` when it was kept (seconds since the epoch).

    `state` FREE: no claim has it. PROMISED: the next claim of its name is bound to it, and none is yet. IN_USE: the claim of uid
    `held_by` has it. `policy` is what its storage does with it once it is let go and no claim has it: `Delete` or `Retain`.
    `stays`: the policy that it has now is to stay; where a hand has changed that, our mark keeps nothing.
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

    @property
    def key(self) -> str:
        """`namespace/claim`."""
        return f"{self.namespace}/{self.claim}"
