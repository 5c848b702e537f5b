"""Where PostgreSQL and barman-cloud are on this machine, and how barman-cloud is called. Starts nothing.

PostgreSQL is found on PATH, or where Debian has it; barman-cloud (the Python package `barman[cloud]`, requirements-barman.lock) on
PATH, or in `.tools/barman/bin`, which `make barman` fills.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.parts.programs import CHECKOUT

_DEBIAN = Path("/usr/lib/postgresql")
_OWN = (CHECKOUT / ".tools").resolve() / "barman" / "bin"
_SERVER = ("initdb", "pg_ctl", "psql", "pg_controldata", "postgres")
_CLOUD = "barman-cloud-"
_ASKED = ("backup", "backup-list", "check-wal-archive", "restore", "wal-archive", "wal-restore")
_CLOUDS = tuple(f"{_CLOUD}{what}" for what in _ASKED)


def found() -> dict[str, Path]:
    """Path of each program that is here, by its name."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda one: int(one.parent.name) if one.parent.name.isdecimal() else 0)
    search = os.pathsep.join([os.environ.get("PATH", ""), *map(str, versions[-1:]), str(_OWN)])
    paths = {name: shutil.which(name, path=search) for name in (*_SERVER, *_CLOUDS)}
    return {name: Path(path) for name, path in paths.items() if path is not None}


def lacks() -> str:
    """Why no real database can be had here, "" where one can."""
    missing = [name for name in (*_SERVER, *_CLOUDS) if name not in found()]
    server, cloud = (any(name.startswith(_CLOUD) is is_cloud for name in missing) for is_cloud in (False, True))
    told = ["PostgreSQL (Debian: apt install postgresql)"] if server else []
    told += ["barman-cloud (Debian: barman-cli-cloud, or make barman)"] if cloud else []
    return f"not on this machine: {' and '.join(told)}" if told else ""


@dataclass(frozen=True)
class Cloud:
    """One server's folder in a bucket, and what barman-cloud is told of it: `destination` as `s3://bucket/path`; `environment` has
    its keys and the authority's file."""

    endpoint: str
    destination: str
    server: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def words(self, program: str, *options: str, then: tuple[str, ...] = ()) -> list[str]:
        """`barman-cloud-PROGRAM` with these options; `then` what it is given behind the server."""
        path = str(found()[f"{_CLOUD}{program}"])
        return [path, "--endpoint-url", self.endpoint, *options, self.destination, self.server, *then]


NO_NEWER_CHECKSUMS = {
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}  # fmt: skip
"""What boto3 is told of a store like Storj's."""


def s3_environment(key_id: str, key: str, authority: Path | str) -> dict[str, str]:
    """What barman-cloud finds in its environment."""
    return {
        "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": key, "AWS_CA_BUNDLE": str(authority), **NO_NEWER_CHECKSUMS,
    }  # fmt: skip
