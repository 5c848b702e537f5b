"""Where the checkout keeps its programs, and the stamps that tell what each was built from. Knows neither Go nor PATH."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.files.whole import write_whole
from tools.manifest import Source

CHECKOUT = Path(__file__).resolve().parent.parent

# How every program is built, whatever its module. No cgo: it needs no C compiler and its headers, and the programs run on
# any Linux of the machine's kind.
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
BUILD_ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off"}


@dataclass(frozen=True)
class Places:
    """The folders under one checkout; `modules` is committed, all others are ignored and can be deleted at any time."""

    checkout: Path = CHECKOUT

    @property
    def modules(self) -> Path:
        """One Go module per group of programs."""
        return self.checkout / "tools" / "go"

    @property
    def programs(self) -> Path:
        """The programs that were built."""
        return self.checkout / ".tools" / "bin"

    @property
    def stamps(self) -> Path:
        """One stamp per built program."""
        return self.checkout / ".tools" / "stamps"

    @property
    def logs(self) -> Path:
        """What Go said, one file per program."""
        return self.checkout / ".tools" / "logs"

    @property
    def unfinished(self) -> Path:
        """What is being built now; emptied at the start of every build."""
        return self.checkout / ".tools" / "unfinished"

    @property
    def lock(self) -> Path:
        """Locked while a build runs."""
        return self.checkout / ".tools" / "build.lock"

    def program(self, name: str) -> Path:
        """Where the program of that name is put."""
        return self.programs / name

    def module(self, source: Source) -> Path:
        """The folder of the Go module that `source` is built in."""
        return self.modules / source.folder


@dataclass(frozen=True)
class Stamp:
    """What a built program was made from: version, digest of its recipe, and the file's size in bytes."""

    version: str
    recipe: str
    size: int


def recipe(places: Places, source: Source) -> str:
    """Digest of all that decides what gets built: go.mod, go.sum, package and flags, or script. Another digest: build again.

    Raises OSError when the module's files can't be read.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((places.module(source) / name).read_bytes())
    how = [source.package, source.linker_flags, *BUILD_FLAGS, *sorted(f"{k}={v}" for k, v in BUILD_ENVIRONMENT.items())]
    if source.script:
        how = [source.module, source.script]
    digest.update("\n".join(how).encode())
    return digest.hexdigest()


def read_stamp(places: Places, name: str) -> Stamp | None:
    """The stamp of a built program; None when there is none, it is damaged, or the program's file is not the stamped one."""
    try:
        fields = json.loads((places.stamps / f"{name}.json").read_text())
        stamp = Stamp(version=str(fields["version"]), recipe=str(fields["recipe"]), size=int(fields["size"]))
        size = places.program(name).stat().st_size
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return stamp if stamp.size == size else None


def write_stamp(places: Places, name: str, stamp: Stamp) -> None:
    """Write a stamp whole or not at all. Raises OSError."""
    places.stamps.mkdir(parents=True, exist_ok=True)
    write_whole(places.stamps / f"{name}.json", json.dumps(asdict(stamp)) + "\n", mode=None)


def is_current(places: Places, name: str, source: Source) -> bool:
    """True when the built program is there and was built from what the checkout now says (unreadable modules say nothing)."""
    stamp = read_stamp(places, name)
    try:
        return stamp is not None and stamp.recipe == recipe(places, source)
    except OSError:
        return False
