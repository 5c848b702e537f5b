"""A database's archive as objects in a bucket of the lab's store, as barman-cloud would have written them. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass

from lab.wire.s3.objects import ObjectStore
from lab.world.archives import ArchiveFiles

DATABASES = "databases"


@dataclass(frozen=True)
class BucketArchive:
    """One server's folder in a bucket of its own: a key can be refused there and taken elsewhere."""

    store: ObjectStore
    server: str = "pg-2026"
    bucket: str = DATABASES

    def files(self) -> ArchiveFiles:
        """What lies there now."""
        found = ArchiveFiles()
        for key in self.store.keys(self.bucket, f"{self.server}/"):
            content, written = self.store.read(self.bucket, key), self.store.head(self.bucket, key).written
            found.files[key.removeprefix(f"{self.server}/")] = (content, written)
        return found

    def put(self, archive: ArchiveFiles) -> None:
        """These files and no others, each with the time at which it was written."""
        self.store.make_bucket(self.bucket)
        for key in list(self.store.keys(self.bucket, f"{self.server}/")):
            self.store.delete(self.bucket, key)
        for path, (content, written) in archive.files.items():
            self.store.write(self.bucket, f"{self.server}/{path}", content, written=written)
