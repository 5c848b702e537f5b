"""Writes a file in one piece: whoever reads it sees the old one or the new one. Knows no format."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.durable import sync_file
from engine.errors import SettingsInvalid
from house.files.paths import is_file, is_folder, is_there


def write_whole(file: Path, text: str) -> None:
    """Raises SettingsInvalid where it cannot be written, or what is there is no file; then nothing of it is left."""
    if file.name in ("", "..") or is_folder(file):
        raise SettingsInvalid(f"{file} cannot be written: it is a folder", hint="name a file")
    if is_there(file) and not is_file(file):
        raise SettingsInvalid(f"{file} cannot be written: it is no regular file", hint="name one that is, or that is not there yet")
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        sync_file(temporary)
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise SettingsInvalid(f"{file} cannot be written: {error.strerror}", hint="the old one, if any, is as it was") from error
