"""What a rehearsal has made in the modelled cluster, and how that cluster may be rigged against it. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.drills.results import Examination, Examined, FenceWall, Found, Order, Phase, Restore, Sent
from adapters.volsync.results import FileEntry
from house.values.rehearsing import ClaimProbe

Entries = tuple[FileEntry, ...]


@dataclass
class ScratchClaim:
    """One scratch claim and the restore into it."""

    order: Order
    state: Restore = field(default_factory=lambda: Restore(Phase.RUNNING))
    entries: Entries = ()
    examined: dict[ClaimProbe, Examined] = field(default_factory=dict)


@dataclass
class LabDrill:
    """The scratch namespace of one drill."""

    drill: str
    notes: dict[str, str] = field(default_factory=dict)
    claims: dict[str, ScratchClaim] = field(default_factory=dict)
    deleting: bool = False
    canary: Sent = field(default_factory=lambda: Sent(Phase.ABSENT))


@dataclass(slots=True)  # as lab.world.store.StoredRepository
class Rigged:
    """What goes wrong in a cluster with a drill: walls that do not hold, restores that end otherwise, a comparison that is blind.

    `canary` is what its repository is found to hold (None: what was sent), `dumb` keeps VolSync from ever backing it up.
    `spoil` is given the scratch claim's name and what a restore brought, and answers what is on the volume then; `room` False
    keeps every restore's pod from starting, `stuck` keeps a namespace that was deleted from going. `ails` is given a probe and what
    is on the volume, and answers what the probe sees (None: what it would see by the paths that are there). `uncounted`: no pod can
    tell what its network brought.
    """

    open_walls: set[FenceWall] = field(default_factory=set)
    spoil: Callable[[str, Entries], Entries] | None = None
    blind: bool = False
    room: bool = True
    stuck: bool = False
    canary: Found | None = None
    dumb: bool = False
    slow_s: float = 0.0
    uncounted: bool = False
    ails: Callable[[Examination, Entries], Examined | None] | None = None
