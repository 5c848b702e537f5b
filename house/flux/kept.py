"""Keeps what builds came to, by the digest of everything that they depend on. Knows no kustomize. Safe to delete."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.files.whole import write_whole
from engine.text.jsontext import Malformed, read_file
from house.flux.objects import Read
from house.flux.rendered import RenderedObject

_FORM = 3
"""Changes whenever what is kept, or how it was made, changes."""
_KEPT_S = 30 * 86400.0
_FIELDS = tuple(field.name for field in fields(RenderedObject))


class Kept:
    """Results in a folder, one file each. What cannot be read or written is as if it were not there."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, digest: str) -> Read | None:
        """What is kept under this digest, None when nothing is."""
        if self._folder is None:
            return None
        file = self._file(digest)
        try:
            objects = read_file(file, lambda rows: tuple(map(_object, rows)), ours=False)  # megabytes, and named by their digest
        except (OSError, Malformed):
            return None
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _KEPT_S / 30:
                os.utime(file)
        return Read(objects)

    def put(self, digest: str, read: Read) -> None:
        """Keep objects that came without a word about them."""
        if self._folder is None or read.problems or read.notes:
            return
        file = self._file(digest)
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rows = [[getattr(one, name) for name in _FIELDS] for one in read.objects]
            write_whole(file, json.dumps(rows), lasting=False)  # hundreds of them, each of which can be built again

    def tidy(self) -> None:
        """Remove what nobody asked for in a month."""
        if self._folder is None:
            return
        with suppress(OSError):
            for file in self._folder.iterdir():
                if time.time() - file.stat().st_mtime > _KEPT_S:
                    file.unlink(missing_ok=True)

    def _file(self, digest: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{digest}.{_FORM}.json"


def _object(row: list[Any]) -> RenderedObject:
    return RenderedObject(**{**dict(zip(_FIELDS, row, strict=True)), "missing": tuple(row[-1])})
