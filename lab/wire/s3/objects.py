"""Buckets and objects as folders and files, so that a person can look at them and a scenario can damage them. Knows no HTTP."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from lab.wire.s3.versions import Former, StoredVersion

MAIN = "main"
"""The encryption phrase whose objects lie in plain sight under `buckets/`; what other phrases wrote lies under `phrases/`."""

_EMPTY = "%"  # never what quoting makes of anything


@dataclass(frozen=True)
class StoredObject:
    """One object's facts: size in bytes, when it was written in seconds since the epoch, its ETag without quotes."""

    key: str
    size: int
    written: float
    etag: str


class NoSuchBucket(Exception):
    """There is no such bucket."""


class NoSuchKey(Exception):
    """There is no such object."""


class NoSuchUpload(Exception):
    """There is no such multipart upload, or one of its parts did not come or has another ETag."""


class ObjectStore:
    """All buckets of one store. A key of another encryption phrase sees the same buckets, and other objects: none, without error.

    Writes are atomic: a reader sees the old object or the new one. Content types and metadata are not kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.RLock()
        self._etags: dict[tuple[Path, int, int], str] = {}
        self.former = Former(root / "versions")
        for folder in ("buckets", "phrases", "uploads", "new"):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def buckets(self) -> tuple[str, ...]:
        """Names of all buckets, sorted."""
        return tuple(sorted(folder.name for folder in (self._root / "buckets").iterdir()))

    def make_bucket(self, bucket: str) -> None:
        """Make it; one that is there stays as it is."""
        (self._root / "buckets" / bucket).mkdir(exist_ok=True)

    def remove_bucket(self, bucket: str) -> bool:
        """Remove an empty bucket; False when something is in it."""
        with self._lock:
            self._require(bucket)
            if any(True for _ in self.keys(bucket)):
                return False
            shutil.rmtree(self._root / "buckets" / bucket)
            return True

    def keys(self, bucket: str, prefix: str = "", phrase: str = MAIN) -> Iterator[str]:
        """Keys that begin with `prefix` of all objects that this phrase sees, in no order. Raises NoSuchBucket.

        Only the folder that the prefix names is walked: what else lies in a bucket costs such a list nothing.
        """
        self._require(bucket)
        base = self._base(bucket, phrase)
        for folder, _, files in os.walk(base.joinpath(*(_part(part) for part in prefix.split("/")[:-1]))):
            for name in files:
                key = _key((Path(folder) / name).relative_to(base))
                if key.startswith(prefix):
                    yield key

    def head(self, bucket: str, key: str, phrase: str = MAIN) -> StoredObject:
        """One object's facts. Raises NoSuchBucket, NoSuchKey."""
        self._require(bucket)
        path = self._file(bucket, key, phrase)
        try:
            facts = path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoSuchKey(key) from error
        if path.is_dir():
            raise NoSuchKey(key)
        return StoredObject(key, facts.st_size, facts.st_mtime, self._etag(path, facts))

    def read(self, bucket: str, key: str, phrase: str = MAIN) -> bytes:
        """The whole object. Raises NoSuchBucket, NoSuchKey."""
        self.head(bucket, key, phrase)
        return self._file(bucket, key, phrase).read_bytes()

    def write(
        self, bucket: str, key: str, content: bytes, phrase: str = MAIN, *, only_new: bool = False, written: float | None = None
    ) -> str | None:
        """Write an object and answer its ETag; None when it was there and `only_new`. `written`: when, if that was not now (epoch
        seconds)."""
        self._require(bucket)
        new = self._root / "new" / uuid.uuid4().hex
        new.write_bytes(content)
        if written is not None:
            os.utime(new, (written, written))
        with self._lock:
            path = self._file(bucket, key, phrase)
            if only_new and path.is_file():
                new.unlink()
                return None
            self._keep(bucket, phrase, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            new.replace(path)
        return self.head(bucket, key, phrase).etag

    def delete(self, bucket: str, key: str, phrase: str = MAIN) -> None:
        """Delete an object; deleting what is not there is no error. Folders that became empty go along."""
        self._require(bucket)
        with self._lock:
            path, base = self._file(bucket, key, phrase), self._base(bucket, phrase)
            self._keep(bucket, phrase, path, marked=True)
            if path.is_file():
                path.unlink()
            for folder in path.parents:
                if folder == base or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()

    # --- former contents, of buckets that are told to keep them; of the main phrase alone ---

    def versions(self, bucket: str, prefix: str = "") -> Iterator[tuple[StoredObject, StoredVersion]]:
        """Every version of every object under the prefix, of one object the newest first. Raises NoSuchBucket."""
        self._require(bucket)
        for one in self.former.all(bucket, self._base(bucket, MAIN), ""):
            if (key := _key(one.path)).startswith(prefix):
                yield StoredObject(key, one.size, one.written, self._etag(one.file, one.file.stat())), one

    def version(self, bucket: str, key: str, version_id: str) -> tuple[StoredObject, bytes]:
        """One version of one object. Raises NoSuchBucket, NoSuchKey."""
        found = self._version(bucket, key, version_id)
        if found is None or found.gone:
            raise NoSuchKey(key)
        facts = found.file.stat()
        return StoredObject(key, found.size, found.written, self._etag(found.file, facts)), found.file.read_bytes()

    def delete_version(self, bucket: str, key: str, version_id: str) -> bool:
        """Take one version away for good; one that is not there is no error. False where its retention forbids it."""
        with self._lock:
            found = self._version(bucket, key, version_id)
            if found is not None and self.former.locked(bucket, found):
                return False
            if found is not None:
                found.file.unlink()
                self._come_back(bucket, key)
        return True

    def _keep(self, bucket: str, phrase: str, path: Path, *, marked: bool = False) -> None:
        """An object is about to be another, or to go: then its deletion is `marked`."""
        if phrase == MAIN:
            self.former.keep(bucket, self._base(bucket, phrase), path)
            if marked:
                self.former.mark(bucket, self._base(bucket, phrase), path)

    def _come_back(self, bucket: str, key: str) -> None:
        """Without its newest version an object is what it was before."""
        base, path = self._base(bucket, MAIN), self._file(bucket, key, MAIN)
        left = self.former.one(bucket, base, path.relative_to(base))
        if left and not left[0].gone and left[0].file != path:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(left[0].file, path)

    def _version(self, bucket: str, key: str, version_id: str) -> StoredVersion | None:
        self._require(bucket)
        base = self._base(bucket, MAIN)
        known = self.former.one(bucket, base, self._file(bucket, key, MAIN).relative_to(base))
        return next((one for one in known if one.version_id == version_id), None)

    # --- multipart: parts lie aside until they are joined, and stay there when nobody ends the upload ---

    def begin_upload(self, bucket: str, key: str, phrase: str = MAIN) -> str:
        """Id of a new multipart upload."""
        self._require(bucket)
        upload = uuid.uuid4().hex
        folder = self._root / "uploads" / upload
        folder.mkdir()
        (folder / "for").write_text(f"{bucket}\n{phrase}\n{key}")
        return upload

    def put_part(self, upload: str, number: int, content: bytes) -> str:
        """Keep one part; its ETag. Raises NoSuchUpload."""
        folder = self._upload(upload)
        (folder / f"{number:05}").write_bytes(content)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def complete_upload(self, upload: str, parts: list[tuple[int, str]], *, only_new: bool = False) -> str | None:
        """Join these parts (number, ETag) into the object; its ETag, None when it was there and `only_new`."""
        folder = self._upload(upload)
        bucket, phrase, key = (folder / "for").read_text().split("\n", 2)
        pieces, digests = [], b""
        for number, etag in parts:
            path = folder / f"{number:05}"
            piece = path.read_bytes() if path.exists() else b""
            digest = hashlib.md5(piece, usedforsecurity=False)
            if not path.exists() or digest.hexdigest() != etag.strip('"'):
                raise NoSuchUpload(f"part {number}")
            pieces.append(piece)
            digests += digest.digest()
        if self.write(bucket, key, b"".join(pieces), phrase, only_new=only_new) is None:
            return None
        shutil.rmtree(folder)
        joined = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
        path = self._file(bucket, key, phrase)
        facts = path.stat()
        self._etags[(path, facts.st_mtime_ns, facts.st_size)] = joined
        return joined

    def abort_upload(self, upload: str) -> None:
        """Throw the parts away. Raises NoSuchUpload."""
        shutil.rmtree(self._upload(upload))

    def uploads(self, bucket: str, phrase: str = MAIN) -> tuple[tuple[str, str], ...]:
        """(key, id) of every upload that nobody ended."""
        found = []
        for folder in sorted((self._root / "uploads").iterdir()):
            where, whose, key = (folder / "for").read_text().split("\n", 2)
            if (where, whose) == (bucket, phrase):
                found.append((key, folder.name))
        return tuple(found)

    def _upload(self, upload: str) -> Path:
        folder = self._root / "uploads" / upload
        if not upload.isalnum() or not folder.is_dir():
            raise NoSuchUpload(upload)
        return folder

    def _require(self, bucket: str) -> None:
        if bucket not in self.buckets():
            raise NoSuchBucket(bucket)

    def _base(self, bucket: str, phrase: str) -> Path:
        if phrase == MAIN:
            return self._root / "buckets" / bucket
        return self._root / "phrases" / hashlib.sha256(phrase.encode()).hexdigest()[:16] / bucket

    def _file(self, bucket: str, key: str, phrase: str) -> Path:
        return self._base(bucket, phrase).joinpath(*(_part(part) for part in key.split("/")))

    def _etag(self, path: Path, facts: os.stat_result) -> str:
        known = (path, facts.st_mtime_ns, facts.st_size)
        if known not in self._etags:
            self._etags[known] = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        return self._etags[known]


def _part(part: str) -> str:
    """One piece of a key as a file name: nothing may climb out of the bucket, nothing may be empty."""
    if part in ("", ".", ".."):
        return _EMPTY if not part else part.replace(".", "%2E")
    return quote(part, safe=" !$&'()*+,;=:@")


def _key(path: Path) -> str:
    return "/".join("" if part == _EMPTY else unquote(part) for part in path.parts)
