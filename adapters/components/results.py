"""What the Components port answers: how far each object is by kstatus' rules, and the few words of it that were asked for.

Judges nothing; what is not written is "" or None, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Status(Enum):
    """Where an object is on its way to what its spec says (the words of kstatus)."""

    CURRENT = "current"
    IN_PROGRESS = "in progress"
    FAILED = "failed"
    TERMINATING = "terminating"


@dataclass(frozen=True)
class Ask:
    """One kind to be listed, and what is wanted of each of its objects: paths such as `status.notAfter`.

    `versions` are tried in their order; the first that the API serves is the one. `[]` behind a key goes through a list, and the
    values found there are joined with a space.
    """

    group: str
    plural: str
    kind: str
    fields: tuple[str, ...] = ()
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True


@dataclass(frozen=True)
class Said:
    """One condition: `good` None where it is neither True nor False; `since` when it last changed (epoch), None where that is not
    told."""

    kind: str
    good: bool | None
    reason: str = ""
    message: str = ""
    since: float | None = None

    @property
    def why(self) -> str:
        """Reason and message, as far as there are any."""
        return ": ".join(part for part in (self.reason, self.message) if part)


@dataclass(frozen=True)
class Seen:
    """One object: `status` and `why` by kstatus, its conditions, and the values of the paths that were asked for, "" for none."""

    kind: str
    namespace: str
    name: str
    status: Status
    why: str = ""
    conditions: tuple[Said, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """`namespace/name`, or the name of what is in no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def says(self, path: str) -> str:
        """The value at a path that was asked for, "" where the object has none."""
        return dict(self.values).get(path, "")

    def condition(self, kind: str) -> Said | None:
        """The condition of this type, None where nobody has written it."""
        return next((one for one in self.conditions if one.kind == kind), None)


@dataclass(frozen=True)
class Program:
    """A Deployment, StatefulSet or DaemonSet. `release` is the helm release it is of (`namespace/name`), "" for none.

    `images` are repositories, without tag and digest. `lacks` is how many of the pods that it wants are not ready. `owned`: another
    object controls it, and speaks for it.
    """

    kind: str
    namespace: str
    name: str
    status: Status
    why: str = ""
    release: str = ""
    kustomization: str = ""
    images: tuple[str, ...] = ()
    wanted: int = 0
    lacks: int = 0
    owned: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Applied:
    """One object of the inventory of a Kustomization (`namespace/name`). `there` False: the API has no such object."""

    kustomization: str
    group: str
    kind: str
    namespace: str
    name: str
    there: bool = True
    status: Status = Status.CURRENT
    why: str = ""

    @property
    def key(self) -> str:
        """`namespace/name`, or the name of what is in no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class AppliedLook:
    """What Flux applied, by its own inventories. `unlisted` counts objects whose kind has no readiness; `unserved` names kinds
    that the API serves no more; `silent` are Kustomizations that have no inventory."""

    objects: tuple[Applied, ...] = ()
    unlisted: int = 0
    unserved: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgeKey:
    """A Secret that Kustomizations decrypt with: the public halves of the keys in it, none where it holds no key that is one.

    `there` False: there is no such Secret. `needed_by` are the Kustomizations.
    """

    namespace: str
    name: str
    needed_by: tuple[str, ...]
    there: bool = True
    recipients: frozenset[str] = field(default_factory=frozenset)

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"
