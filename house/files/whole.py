"""Writes a file of a person's in one piece, or says in words why it cannot be. Knows no format."""

from __future__ import annotations

from pathlib import Path

from engine.errors import SettingsInvalid
from engine.files.whole import write_whole
from house.files.paths import is_file, is_folder, is_there


def write_file(file: Path, text: str) -> None:
    """Raises SettingsInvalid where it cannot be written, or what is there is no file; then nothing of it is left."""
    if file.name in ("", "..") or is_folder(file):
        raise SettingsInvalid(f"{file} cannot be written: it is a folder", hint="name a file")
    if is_there(file) and not is_file(file):
        raise SettingsInvalid(f"{file} cannot be written: it is no regular file", hint="name one that is, or that is not there yet")
    try:
        write_whole(file, text, mode=None)
    except OSError as error:
        raise SettingsInvalid(f"{file} cannot be written: {error.strerror}", hint="the old one, if any, is as it was") from error
