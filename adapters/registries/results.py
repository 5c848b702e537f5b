"""What a registry of container images answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from engine.errors import PermanentError

DOCKER = "docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<host>(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?::\d+)?|[A-Za-z0-9-]+:\d+|localhost)/)?(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Reference:
    """An image as a manifest names it: the registry's host, the repository there, and what is asked for, a tag or a digest."""

    registry: str
    repository: str
    wanted: str

    @property
    def pinned(self) -> bool:
        """Whether it is asked for by its digest."""
        return self.wanted.startswith("sha256:")


def reference_of(image: str) -> Reference:
    """The parts of a name, as a container engine reads it: Docker's registry and `latest` where none is said, and the tag of no
    account beside a digest. PermanentError for what is no name of an image."""
    found = _REFERENCE.fullmatch(image)
    if found is None:
        raise PermanentError(f"{image[:200]!r} is no name of an image")
    registry = found["host"] or DOCKER
    registry = DOCKER if registry == "index.docker.io" else registry
    path = found["path"]
    repository = f"library/{path}" if registry == DOCKER and "/" not in path else path
    return Reference(registry, repository, found["digest"] or found["tag"] or "latest")


class Standing(Enum):
    """Whether an image can be had."""

    THERE = "there"
    ABSENT = "absent"  # the registry knows of none
    REFUSED = "refused"  # not for somebody without credentials, or not there: registries say the same of both
    LIMITED = "limited"  # the registry lets nobody pull any more from here, for now


@dataclass(frozen=True)
class Allowance:
    """How many more pulls a registry allows from here, of how many (None: it does not say), in how many seconds (None likewise)."""

    left: int
    limit: int | None = None
    window_s: int | None = None


@dataclass(frozen=True)
class ImageLook:
    """What one registry says of one image: `asked` is the host that was, `allowance` None where it counts no pulls."""

    standing: Standing
    asked: str
    detail: str = ""
    allowance: Allowance | None = None
