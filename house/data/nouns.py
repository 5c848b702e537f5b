"""The nouns of data that a house declares. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Keeps(Enum):
    """What something that holds data is."""

    CLAIM = "claim"
    TEMPLATE = "claims of a StatefulSet"
    CHART = "claim of a chart"
    DATABASE = "database"
    OPERATED = "operator's database"
    NFS = "NFS mount"
    SMB = "SMB mount"
    HOST_PATH = "host path"


class Space(Enum):
    """Within what a name is that of one thing: a claim and a database may have the same, and share nothing else."""

    CLAIM = "claim"
    TEMPLATE = "template"
    CHART = "chart"
    DATABASE = "database"
    OPERATED = "operator's database"
    MOUNT = "mount"


_SPACES = {
    Keeps.CLAIM: Space.CLAIM, Keeps.TEMPLATE: Space.TEMPLATE, Keeps.CHART: Space.CHART, Keeps.DATABASE: Space.DATABASE,
    Keeps.OPERATED: Space.OPERATED,
}  # fmt: skip


@dataclass(frozen=True)
class Holder:
    """One thing that holds data, as Git declares it. `size` as it is written, "" where it is not; `storage` is the storage
    class, or the server and path of a mount. `instances` is how many of it there are, each with that size; `first` is the
    number of a template's first claim. `claimed`: it is a claim, on the share that `keeps` says."""

    namespace: str
    name: str
    keeps: Keeps
    size: str
    storage: str
    declared_in: str
    instances: int = 1
    first: int = 0
    claimed: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`; the name alone for what is in no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def space(self) -> Space:
        """What its name is a name of."""
        return Space.CLAIM if self.claimed else _SPACES.get(self.keeps, Space.MOUNT)

    @property
    def identity(self) -> tuple[Space, str, str]:
        """What it is and no other thing. Mounts of one name may be of two places, for many workloads may have it."""
        return self.space, self.key, self.storage if self.space is Space.MOUNT else ""

    @property
    def qualified(self) -> str:
        """Its name with what tells it from others of the name."""
        kind = self.storage if self.space is Space.MOUNT else Keeps.CLAIM.value if self.claimed else self.keeps.value
        return f"{self.key} ({kind})"


@dataclass(frozen=True)
class Unprotected:
    """One holder without a backup. `reason` is what the settings say of it: with one it is accepted, without it is a fault.
    `shared`: other data without a backup has its name too."""

    holder: Holder
    reason: str = ""
    shared: bool = False

    @property
    def said_as(self) -> str:
        """What `backups.unprotected` calls it."""
        return self.holder.qualified if self.shared else self.holder.key


@dataclass(frozen=True)
class Paused:
    """One claim or database (`namespace/name`) all of whose backups are paused or never fire: `by` names the objects, and `word`
    is "paused", "no schedule" where none is and each has a schedule that nothing takes, or "refused" where the API server takes
    none of them. `reason` is what the settings say of it: with one it is accepted, without it is a fault. `shared` as in
    Unprotected."""

    key: str
    by: str
    declared_in: str
    reason: str = ""
    space: Space = Space.CLAIM
    shared: bool = False
    word: str = "paused"

    @property
    def qualified(self) -> str:
        """Its name with what tells it from others of the name."""
        return f"{self.key} ({self.space.value})"

    @property
    def said_as(self) -> str:
        """What `backups.unprotected` calls it."""
        return self.qualified if self.shared else self.key


@dataclass(frozen=True)
class DeclaredData:
    """All that Git declares of it. `unprotected` are those without a backup; `protected` the others, by what they are and their
    key; `paused` among them those that get no new one.

    `charts` are HelmReleases (`namespace/name`) whose charts were not rendered: what claims those make, a living cluster tells.
    """

    holders: tuple[Holder, ...] = ()
    protected: frozenset[tuple[Space, str]] = frozenset()
    unprotected: tuple[Unprotected, ...] = ()
    charts: tuple[str, ...] = ()
    paused: tuple[Paused, ...] = ()


NO_DATA = DeclaredData()
