"""Buckets and objects as folders and files, so that a person can look at them and a scenario can damage them. Knows no HTTP."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.text.jsontext import an_object, read_file
from lab.wire.s3.names import SELF, key_of, place
from lab.wire.s3.told import Told
from lab.wire.s3.versions import Former, StoredVersion

MAIN = "main"
"""The encryption phrase whose objects lie in plain sight under `buckets/`; what other phrases wrote lies under `phrases/`."""

NOTHING: Mapping[str, str] = {}
# All parts of an upload but the last are at least so large.
SMALLEST_PART = 5 << 20


@dataclass(frozen=True)
class StoredObject:
    """One object's facts: size in bytes, when it was written in seconds since the epoch, its ETag without quotes.

    `told`: what its writer said of it, by header.
    """

    key: str
    size: int
    written: float
    etag: str
    told: Mapping[str, str] = field(default_factory=dict)


class NoSuchBucket(Exception):
    """There is no such bucket."""


class NoSuchKey(Exception):
    """There is no such object."""


class NoSuchUpload(Exception):
    """There is no such multipart upload."""


class WrongParts(Exception):
    """An upload cannot be joined of these parts; the words are S3's code for why."""


class ObjectStore:
    """All buckets of one store. A key of another encryption phrase sees the same buckets, and other objects: none, without error.

    Writes are atomic: a reader sees the old object or the new one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.RLock()
        self._etags: dict[tuple[Path, int, int], str] = {}
        self.former = Former(root / "versions")
        self._told = Told(root / "told")
        for folder in ("buckets", "phrases", "uploads", "new"):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def buckets(self) -> tuple[str, ...]:
        """Names of all buckets, sorted."""
        return tuple(sorted(folder.name for folder in (self._root / "buckets").iterdir()))

    def make_bucket(self, bucket: str) -> None:
        """Make it; one that is there stays as it is."""
        (self._root / "buckets" / bucket).mkdir(exist_ok=True)

    def remove_bucket(self, bucket: str) -> bool:
        """Remove an empty bucket; False when something is in it: an object of any phrase, a former version, a mark of deletion."""
        with self._lock:
            self.require(bucket)
            left = (*(self._root / "phrases").glob(f"*/{bucket}"), self._root / "buckets" / bucket, self.former.root / bucket)
            if any(file.is_file() for folder in left for file in folder.rglob("*")):
                return False
            for folder in left:
                shutil.rmtree(folder, ignore_errors=True)
            self.former.told.pop(bucket, None)
            return True

    def keys(self, bucket: str, prefix: str = "", phrase: str = MAIN) -> Iterator[str]:
        """Keys that begin with `prefix` of all objects that this phrase sees, in no order. Raises NoSuchBucket.

        Only the folder that the prefix names is walked: what else lies in a bucket costs such a list nothing.
        """
        self.require(bucket)
        base = self._base(bucket, phrase)
        for folder, _, files in os.walk(base.joinpath(*(place(prefix.rpartition("/")[0]) if "/" in prefix else ()))):
            for name in files:
                key = key_of((Path(folder) / name).relative_to(base))
                if key.startswith(prefix):
                    yield key

    def head(self, bucket: str, key: str, phrase: str = MAIN) -> StoredObject:
        """One object's facts. Raises NoSuchBucket, NoSuchKey."""
        self.require(bucket)
        path = self._file(bucket, key, phrase)
        try:
            facts = path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoSuchKey(key) from error
        if path.is_dir():
            raise NoSuchKey(key)
        told = self._told.of(path, facts.st_mtime_ns)
        return StoredObject(key, facts.st_size, facts.st_mtime, self._etag(path, facts), told)

    def read(self, bucket: str, key: str, phrase: str = MAIN) -> bytes:
        """The whole object. Raises NoSuchBucket, NoSuchKey."""
        self.head(bucket, key, phrase)
        return self._file(bucket, key, phrase).read_bytes()

    def write(
        self, bucket: str, key: str, content: bytes, phrase: str = MAIN, *,
        only_new: bool = False, told: Mapping[str, str] = NOTHING, written: float | None = None,
    ) -> str | None:  # fmt: skip
        """Write an object with what is `told` of it, and answer its ETag; None when it was there and `only_new`.

        `written`: when, if that was not now (epoch seconds).
        """
        self.require(bucket)
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
            self._make_way(path.parent, self._base(bucket, phrase))
            new.replace(path)
            self._told.keep(path, told)
        return self.head(bucket, key, phrase).etag

    def _make_way(self, folder: Path, base: Path) -> None:
        """Make this folder; an object in the way of it, or of one above, goes into it under a name of its own."""
        for each in (*reversed(folder.relative_to(base).parents), folder.relative_to(base)):
            path = base / each
            if path.is_file():
                aside = self._root / "new" / uuid.uuid4().hex
                path.replace(aside)
                path.mkdir()
                aside.replace(path / SELF)
                self._told.move(path, path / SELF)
        folder.mkdir(parents=True, exist_ok=True)

    def delete(self, bucket: str, key: str, phrase: str = MAIN) -> None:
        """Delete an object; deleting what is not there is no error. Folders that became empty go along."""
        self.require(bucket)
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
        self.require(bucket)
        for one in self.former.all(bucket, self._base(bucket, MAIN), ""):
            if (key := key_of(one.path)).startswith(prefix):
                yield StoredObject(key, one.size, one.written, self._etag(one.file, one.file.stat())), one

    def version(self, bucket: str, key: str, version_id: str) -> tuple[StoredObject, bytes]:
        """One version of one object. Raises NoSuchBucket, NoSuchKey."""
        found = self._version(bucket, key, version_id)
        if found is None or found.gone:
            raise NoSuchKey(key)
        facts = found.file.stat()
        told = self._told.of(found.file, facts.st_mtime_ns)
        return StoredObject(key, found.size, found.written, self._etag(found.file, facts), told), found.file.read_bytes()

    def named(self, bucket: str, key: str, version_id: str, phrase: str = MAIN) -> tuple[StoredObject, bytes]:
        """An object as it is now, or one version of it where that is named. Raises NoSuchBucket, NoSuchKey."""
        if version_id:
            return self.version(bucket, key, version_id)
        return self.head(bucket, key, phrase), self.read(bucket, key, phrase)

    def newest(self, bucket: str, key: str, phrase: str = MAIN) -> StoredVersion | None:
        """The newest version of an object, a mark of its deletion included; None where no versions are kept."""
        if phrase != MAIN or not self.former.of(bucket).state:
            return None
        base = self._base(bucket, MAIN)
        return next(iter(self.former.one(bucket, base, self._file(bucket, key, MAIN).relative_to(base))), None)

    def is_mark(self, bucket: str, key: str, version_id: str) -> bool:
        """Whether this version is a mark that the object was deleted. Raises NoSuchBucket."""
        found = self._version(bucket, key, version_id)
        return found is not None and found.gone

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
            kept = self.former.keep(bucket, self._base(bucket, phrase), path)
            if kept is not None:
                self._told.move(path, kept)
            if marked:
                self.former.mark(bucket, self._base(bucket, phrase), path)

    def _come_back(self, bucket: str, key: str) -> None:
        """Without its newest version an object is what it was before."""
        base, path = self._base(bucket, MAIN), self._file(bucket, key, MAIN)
        left = self.former.one(bucket, base, path.relative_to(base))
        if left and not left[0].gone and left[0].file != path:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(left[0].file, path)
            self._told.move(left[0].file, path)

    def _version(self, bucket: str, key: str, version_id: str) -> StoredVersion | None:
        self.require(bucket)
        base = self._base(bucket, MAIN)
        known = self.former.one(bucket, base, self._file(bucket, key, MAIN).relative_to(base))
        return next((one for one in known if one.version_id == version_id), None)

    # --- multipart: parts lie aside until they are joined, and stay there when nobody ends the upload ---

    def begin_upload(self, bucket: str, key: str, phrase: str = MAIN, told: Mapping[str, str] = NOTHING) -> str:
        """Id of a new multipart upload."""
        self.require(bucket)
        upload = uuid.uuid4().hex
        folder = self._root / "uploads" / upload
        folder.mkdir()
        (folder / "for").write_text(f"{bucket}\n{phrase}\n{key}")
        (folder / "told").write_text(json.dumps(dict(told)))
        return upload

    def is_for(self, upload: str, bucket: str, key: str, phrase: str = MAIN) -> bool:
        """Whether this upload becomes this object. Raises NoSuchUpload."""
        return (self._upload(upload) / "for").read_text() == f"{bucket}\n{phrase}\n{key}"

    def parts(self, upload: str) -> tuple[tuple[int, int, float, str], ...]:
        """(number, size, when it was written, ETag) of every part that came. Raises NoSuchUpload."""
        found = []
        for file in sorted(file for file in self._upload(upload).iterdir() if file.name.isdigit()):
            facts = file.stat()
            found.append((int(file.name), facts.st_size, facts.st_mtime, self._etag(file, facts)))
        return tuple(found)

    def put_part(self, upload: str, number: int, content: bytes) -> str:
        """Keep one part; its ETag. Raises NoSuchUpload."""
        folder = self._upload(upload)
        (folder / f"{number:05}").write_bytes(content)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def complete_upload(self, upload: str, parts: list[tuple[int, str]], *, only_new: bool = False) -> str | None:
        """Join these parts (number, ETag) into the object; its ETag, None when it was there and `only_new`.

        Raises NoSuchUpload, and WrongParts for parts that did not come, that are out of order or too small.
        """
        folder = self._upload(upload)
        bucket, phrase, key = (folder / "for").read_text().split("\n", 2)
        pieces, digests = [], b""
        if any(number >= later for (number, _), (later, _) in itertools.pairwise(parts)):
            raise WrongParts("InvalidPartOrder")
        for number, etag in parts:
            path = folder / f"{number:05}"
            piece = path.read_bytes() if path.exists() else b""
            digest = hashlib.md5(piece, usedforsecurity=False)
            if not path.exists() or digest.hexdigest() != etag.strip('"'):
                raise WrongParts("InvalidPart")
            pieces.append(piece)
            digests += digest.digest()
        if any(len(piece) < SMALLEST_PART for piece in pieces[:-1]):
            raise WrongParts("EntityTooSmall")
        told = read_file(folder / "told", an_object)
        if self.write(bucket, key, b"".join(pieces), phrase, only_new=only_new, told=told) is None:
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
        if not re.fullmatch(r"[0-9a-f]{32}", upload) or not folder.is_dir():
            raise NoSuchUpload(upload)
        return folder

    def require(self, bucket: str) -> None:
        """Raise NoSuchBucket where there is none."""
        if bucket not in self.buckets():
            raise NoSuchBucket(bucket)

    def _base(self, bucket: str, phrase: str) -> Path:
        if phrase == MAIN:
            return self._root / "buckets" / bucket
        return self._root / "phrases" / hashlib.sha256(phrase.encode()).hexdigest()[:16] / bucket

    def _file(self, bucket: str, key: str, phrase: str) -> Path:
        path = self._base(bucket, phrase).joinpath(*place(key))
        return path / SELF if path.is_dir() else path

    def _etag(self, path: Path, facts: os.stat_result) -> str:
        known = (path, facts.st_mtime_ns, facts.st_size)
        if known not in self._etags:
            self._etags[known] = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        return self._etags[known]
