"""The nouns of what Flux applies: every object of every Kustomization, and what could not be followed. Nouns only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from house.files.problems import Problem


@dataclass(frozen=True)
class RenderedObject:
    """One object as a Flux Kustomization applies it: patched, prefixed, in its namespace, its variables filled in.

    `kustomization` is the `namespace/name` of the Flux Kustomization that applies it. `file` is where the object is written,
    `line` counts from 1 and is 0 where it can't be told (a generated one). `body` is shared: read it, never change it.
    `missing` names variables that Git gives no value to: each stands as `${NAME}` in the body.
    """

    api: str
    kind: str
    namespace: str
    name: str
    body: dict[str, Any] = field(repr=False)
    kustomization: str
    file: str
    line: int
    missing: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group, "" for the core one."""
        return self.api.rpartition("/")[0]

    @property
    def declared_in(self) -> str:
        """`file:line`, for messages."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def spec(self) -> dict[str, Any]:
        """The object's spec, {} when it has none."""
        spec = self.body.get("spec")
        return spec if isinstance(spec, dict) else {}


@dataclass(frozen=True)
class NotFollowed:
    """Something that declares objects which are not in `objects`: a ResourceSet, another source, a remote base.

    `makes_backups` is True when backups are seen to be among them: the hold would not know those.
    """

    subject: str
    why: str
    file: str
    line: int
    makes_backups: bool = False

    @property
    def declared_in(self) -> str:
        """`file:line`, for messages."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def note(self) -> Problem:
        """What is said of it among a repository's notes."""
        what = f"{self.subject} {self.why}, and is not followed"
        return Problem(self.file, self.line, "", what, "backups declared there are not seen")


@dataclass(frozen=True)
class Rendered:
    """All that Flux applies from this repository, parents first, and what of it is known only in the cluster."""

    objects: tuple[RenderedObject, ...] = ()
    not_followed: tuple[NotFollowed, ...] = ()

    def of_kind(self, group: str, *kinds: str) -> Iterator[RenderedObject]:
        """The objects of an API group ("" for the core one) and of these kinds, all kinds when none is named."""
        return (one for one in self.objects if one.group == group and (not kinds or one.kind in kinds))
