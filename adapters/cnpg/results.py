"""What a CloudNativePG cluster says, and what the database in it says of itself: only the second proves. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Left:
    """Where a database's log was just before it was told to hibernate: timeline, place (bytes), and when (epoch seconds)."""

    timeline: int
    lsn: int
    time: float

    def __str__(self) -> str:
        return f"{self.timeline} {self.lsn} {self.time:.0f}"


@dataclass(frozen=True)
class DatabaseState:
    """What the operator has written down of one Cluster. `created` in seconds since the epoch.

    `phase` and `reason` are its words, `healthy` whether those say so, `hopeless` whether they say that nothing will come of it.
    `recovers`: the object was made with bootstrap.recovery. `archiving` is why it does not archive, "" where it does or nothing is
    said. `waiting` is what its pods and Jobs wait for, in the cluster's words. `system_id` is PostgreSQL's own, "" where
    its operator does not say it (older ones do not). `to_sleep`: it is told to hibernate, `ours` that it is by us, `asleep`
    that its operator says that no pod of it is left. `left` is where its log was when we told it, None where nobody asked.
    `server` is the name that it archives under, "" where it says none.
    """

    present: bool
    uid: str = ""
    created: float = 0.0
    phase: str = ""
    reason: str = ""
    healthy: bool = False
    hopeless: bool = False
    recovers: bool = False
    archiving: str = ""
    waiting: tuple[str, ...] = ()
    system_id: str = ""
    to_sleep: bool = False
    ours: bool = False
    asleep: bool = False
    left: Left | None = None
    server: str = ""

    @property
    def told(self) -> str:
        """The operator's words."""
        return ": ".join(part for part in (self.phase, self.reason) if part) or "the operator has said nothing yet"


@dataclass(frozen=True)
class Turn:
    """Where a database left one timeline for the next: at which place of the log (bytes), and why, in PostgreSQL's words."""

    timeline: int
    lsn: int
    reason: str


@dataclass(frozen=True)
class Reached:
    """What a database says of itself: who it is, its timeline, where its log is, and every timeline that it left before.

    `recovering`: it still replays. `timeline` is 0 then, for nobody knows yet where it will end.
    """

    system_id: str
    timeline: int
    lsn: int
    recovering: bool
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Login:
    """The application's own way in: whether the password in its Secret was tried (`secret`, "" where there is none), and why it was
    not or did not work; `refused` "" where it worked."""

    tried: bool
    secret: str = ""
    user: str = ""
    refused: str = ""
    generated: bool = False
