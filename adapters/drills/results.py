"""What the drills port takes and answers: the scratch namespace, its fence, restores into it. Knows nothing of objects or HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from adapters.volsync.results import Snapshot
from house.values.rehearsing import ClaimProbe


class FenceWall(Enum):
    """The parts of the fence. Each is proven by a trial of its own, never by its object being there."""

    EGRESS = "egress"  # a pod with an application's labels gets out nowhere
    STORE = "store"  # one with a mover's labels reaches the repository
    MOVERS = "movers"  # and nothing else
    TOKEN = "token"  # noqa: S105 - a pod finds no service account token
    QUOTA = "quota"  # what would be reached from outside is refused when it is made
    BACKUPS = "backups"  # so is what would make VolSync, or a fork of it, write to a repository
    NAMES = "names"  # nothing in it bears what a controller for DNS, certificates or tunnels picks up


@dataclass(frozen=True)
class FenceTrial:
    """How the trial of one wall came out. `proven` False: it does not hold, or that could not be seen; `detail` says which."""

    wall: FenceWall
    proven: bool
    detail: str


@dataclass(frozen=True)
class Scratch:
    """The scratch namespace of a drill. `drill` is the id that the drill chose before it made anything.

    `notes` are what the drill wrote down there, by key. `left`: what there is of it in all, in words (a namespace that is being
    deleted, volumes that their storage still holds).
    """

    namespace: str
    drill: str
    deleting: bool
    notes: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()

    def note(self, key: str) -> str:
        """What was written under this key, "" for nothing."""
        return dict(self.notes).get(key, "")


class Trouble(Enum):
    """Why a restore into the scratch namespace came to nothing."""

    NO_REPOSITORY = "no repository is there"
    WRONG_PASSWORD = "the password opens nothing"  # noqa: S105 - a sentence
    OTHER_REPOSITORY = "it is another repository"
    NO_SNAPSHOT = "the snapshot is not in the repository"
    REFUSED = "the store refused access"
    DAMAGED = "the repository is damaged"
    UNREACHABLE = "the store did not answer"
    NOT_STARTED = "the pod did not start"


class Phase(Enum):
    """How far a restore is. UNKNOWN never: what cannot be seen is an error."""

    ABSENT = "absent"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Restore:
    """One restore into a scratch claim. `trouble` only with FAILED; `seconds` of the pod's work, 0.0 while it has not ended.

    `received` are the bytes that the pod's network has counted in meanwhile, None where nobody could tell. `damaged` is the path
    that was hit where the order asks for damage, "" where there was nothing to hit.
    """

    phase: Phase
    trouble: Trouble | None = None
    detail: str = ""
    seconds: float = 0.0
    bytes: int = 0
    received: int | None = None
    damaged: str = ""


class Health(Enum):
    """What a probe has seen of restored data."""

    SOUND = "sound"
    ILL = "ill"
    UNSEEN = "unseen"  # nothing was shown, neither way


@dataclass(frozen=True)
class Examined:
    """How far a probe of restored data is, and what it has seen: `health` only with DONE, in the words of `detail`."""

    phase: Phase
    health: Health | None = None
    detail: str = ""


class Twist(Enum):
    """How a mover's Secret is turned on its way into the scratch namespace: wrong on purpose for a negative control, or to the
    canary's own repository beside the mover's."""

    NONE = ""
    CANARY = "canary"
    EMPTY_REPOSITORY = "empty-repository"  # it is pointed at a place where no repository is
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a name


class Damage(Enum):
    """What is done on purpose to a scratch claim of the negative control."""

    BYTE_FLIPPED = "byte-flipped"  # size and time stay as they were
    FILE_GONE = "file-gone"
    OWNER_CHANGED = "owner-changed"


@dataclass(frozen=True)
class Order:
    """One restore: into the scratch claim `into`, of `size` bytes, from exactly this snapshot.

    `namespace` and `destination` name the ReplicationDestination of the living house whose mover it is like; `secret` is
    that of the repository, where it is another than the destination's own. What came is `damaged` on purpose where that is asked,
    and held against `against`, which is `snapshot` where it is not told.
    """

    into: str
    namespace: str
    destination: str
    snapshot: Snapshot
    size: int
    twist: Twist = Twist.NONE
    secret: str = ""
    damage: Damage | None = None
    against: Snapshot | None = None

    @property
    def wanted(self) -> Snapshot:
        """The snapshot that the scratch claim is held against."""
        return self.against or self.snapshot


@dataclass(frozen=True)
class Sent:
    """How far VolSync is with the canary of this `word`, "" for none. `phase` FAILED never: it tries again for ever."""

    phase: Phase
    word: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Scheduled:
    """A CronJob: whether it is suspended, and when it last started a Job (seconds since the epoch, None for never)."""

    suspended: bool
    last: float | None


@dataclass(frozen=True)
class Found:
    """What the newest snapshot of the canary's repository holds: `word` is all of it, with `?` for what stands in no word of ours,
    and None where it could not be read, for this trouble."""

    word: str | None
    trouble: Trouble | None = None
    detail: str = ""


@dataclass(frozen=True)
class Examination:
    """One probe of what was restored by this order, in a pod of its own behind the fence."""

    order: Order
    probe: ClaimProbe
