"""What a store says of the versions that it keeps. Judges nothing; what it did not say is unknown, never none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Keeping(Enum):
    """Whether the store keeps what is deleted or overwritten."""

    KEPT = "kept"
    SUSPENDED = "not any more"
    NONE = "not kept"
    UNKNOWN = "unknown"


class May(Enum):
    """Whether somebody may take a version away for good."""

    YES = "may"
    NO = "may not"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StoreGuard:
    """What stands between a bucket's backups and whoever deletes them. `bucket` as `https://HOST/BUCKET`.

    `lock` is the mode of its default retention (`compliance`, `governance`, "" for none, None for unknown), which holds for
    `lock_s` seconds. `kept_s`: after so long a version that is not the current one goes, 0.0 for never, None for unknown. `why`
    says what could not be had.
    """

    bucket: str
    keeping: Keeping
    lock: str | None = ""
    lock_s: float = 0.0
    kept_s: float | None = 0.0
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undoing:
    """Whether some credentials may take versions away: `key` says whose they are. `why` where that is not known."""

    key: str
    may: May
    why: str = ""


@dataclass(frozen=True)
class Version:
    """One version of one file of a repository: its name there (`data/ab/ab…`), size in bytes, when it was written (epoch seconds).

    `gone`: it says that the file was deleted then, and holds nothing. `etag`: what the store calls its content by, "" for unknown.
    """

    name: str
    version_id: str
    written: float
    size: int = 0
    etag: str = ""
    gone: bool = False
