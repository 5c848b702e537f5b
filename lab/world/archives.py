"""A database's archive as the files that barman-cloud leaves of it, read by the adapter's own reading. Knows no store and no S3."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.archives.bases import SEGMENT_BYTES
from adapters.archives.server import ArchiveServer, StoredFile

EACH_LOG = (1 << 32) // SEGMENT_BYTES


@dataclass
class ArchiveFiles:
    """One server's folder (server.Files): path from there → its content, and when it was written (epoch seconds)."""

    files: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    where: str = "its folder"

    @property
    def server(self) -> ArchiveServer:
        """What reads it."""
        return ArchiveServer(self, self.where)

    @property
    def newest(self) -> float:
        """When the last of its files was written; 0.0 where there is none."""
        return max((written for _, written in self.files.values()), default=0.0)

    def folders(self, below: str) -> Iterator[str]:
        """See server.Files."""
        yield from {path.removeprefix(below).partition("/")[0] for path in self.files if path.startswith(below)}

    def under(self, below: str) -> Iterator[StoredFile]:
        """See server.Files."""
        for path, (content, written) in self.files.items():
            if path.startswith(below):
                yield StoredFile(path, len(content), written)

    def read(self, path: str) -> str | None:
        """See server.Files."""
        return self.files[path][0].decode() if path in self.files else None

    # What a database writes.

    def base(self, ended: float, system_id: str, first: int, timeline: int = 1, name: str = "", end_lsn: int = 0) -> str:
        """A base backup that ended then and needs the log's segment of that number alone; answers its name."""
        name = name or time.strftime("%Y%m%dT%H%M%S", time.gmtime(ended))
        lsn = end_lsn or first * SEGMENT_BYTES + 256
        told = {
            "status": "DONE", "end_time": time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(ended)),
            "begin_wal": segment(first, timeline), "end_wal": segment(first, timeline),
            "end_xlog": f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}", "timeline": str(timeline), "systemid": system_id,
        }  # fmt: skip
        info = "".join(f"{key}={value}\n" for key, value in told.items() if value)
        self.files[f"base/{name}/backup.info"] = (info.encode(), ended)
        self.files[f"base/{name}/data.tar.gz"] = (b"data", ended)
        return name

    def log(self, numbers: range, since: float, every: float, timeline: int = 1) -> None:
        """Segments of these numbers, one each `every` seconds from `since` on."""
        for place, number in enumerate(numbers):
            self.files[log_path(number, timeline)] = (b"log", since + place * every)


def segment(number: int, timeline: int = 1) -> str:
    """The name of a segment of 16 MiB, by its number in the log."""
    return f"{timeline:08X}{number // EACH_LOG:08X}{number % EACH_LOG:08X}"


def log_path(number: int, timeline: int = 1) -> str:
    """Where that segment lies."""
    name = segment(number, timeline)
    return f"wals/{name[:16]}/{name}.gz"
