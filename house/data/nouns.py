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
    NFS = "NFS mount"
    SMB = "SMB mount"
    HOST_PATH = "host path"


@dataclass(frozen=True)
class Holder:
    """One thing that holds data, as Git declares it. `size` as it is written, "" where it is not; `storage` is the storage
    class, or the server and path of a mount. `instances` is how many of it there are, each with that size; `first` is the
    number of a template's first claim."""

    namespace: str
    name: str
    keeps: Keeps
    size: str
    storage: str
    declared_in: str
    instances: int = 1
    first: int = 0

    @property
    def key(self) -> str:
        """`namespace/name`; the name alone for what is in no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Unprotected:
    """One holder without a backup. `reason` is what the settings say of it: with one it is accepted, without it is a fault."""

    holder: Holder
    reason: str = ""


@dataclass(frozen=True)
class Paused:
    """One claim or database (`namespace/name`) all of whose backups are paused: `by` names the objects that are. `reason` is what
    the settings say of it: with one it is accepted, without it is a fault."""

    key: str
    by: str
    declared_in: str
    reason: str = ""


@dataclass(frozen=True)
class DeclaredData:
    """All that Git declares of it. `unprotected` are those without a backup; `protected` keys of the others, `paused` among them
    those that get no new one.

    `charts` are HelmReleases (`namespace/name`) whose charts were not rendered: what claims those make, a living cluster tells.
    """

    holders: tuple[Holder, ...] = ()
    protected: frozenset[str] = frozenset()
    unprotected: tuple[Unprotected, ...] = ()
    charts: tuple[str, ...] = ()
    paused: tuple[Paused, ...] = ()


NO_DATA = DeclaredData()
