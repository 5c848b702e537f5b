"""Writes a file in one piece: whoever reads it sees the old one or the new one. Knows no format."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.durable import sync_file
from engine.errors import SettingsInvalid


def write_whole(file: Path, text: str) -> None:
    """Raises SettingsInvalid where it cannot be written; then nothing of it is left."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        sync_file(temporary)
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise SettingsInvalid(f"{file} cannot be written: {error.strerror}", hint="the old one, if any, is as it was") from error
