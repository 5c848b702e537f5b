"""Keys as paths of files, and back: nothing climbs out of its bucket, and no key is too long or in another's way. Knows no file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

# None of these is ever what quoting makes of anything.
_EMPTY = "%"
SELF = "%%"
"""File name of an object whose key is also the folder of others."""
_GOES_ON = "%~"
# File systems take 255 bytes for a name.
_LONGEST = 200


def place(key: str) -> tuple[str, ...]:
    """The names of a key's folders and its file."""
    return tuple(name for piece in key.split("/") for name in _names(piece))


def key_of(path: Path) -> str:
    """The key of a file, by its path below its bucket."""
    pieces, whole = [], ""
    for name in path.parts:
        if name == SELF:
            continue
        whole += name.removesuffix(_GOES_ON)
        if not name.endswith(_GOES_ON):
            pieces.append("" if whole == _EMPTY else unquote(whole))
            whole = ""
    return "/".join(pieces)


def _names(piece: str) -> list[str]:
    if piece in ("", ".", ".."):
        return [piece.replace(".", "%2E") or _EMPTY]
    text = quote(piece, safe=" !$&'()*+,;=:@")
    parts = [text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)]
    return [*(part + _GOES_ON for part in parts[:-1]), parts[-1]]
