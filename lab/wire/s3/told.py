"""What clients say of an object beside its content: type, how it is to be sent, their own words. Kept as files. Knows no HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from engine.text.jsontext import an_object, read_file

DEFAULT = "application/octet-stream"
_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")


def told_in(headers: Mapping[str, str]) -> dict[str, str]:
    """What a request's headers (names in lower case) say of the object in its body."""
    found = {name: value for name, value in headers.items() if name in _KEPT or name.startswith("x-amz-meta-")}
    if "content-encoding" in found:
        # How a body was sent is not what it is.
        left = [word for word in found["content-encoding"].replace(" ", "").split(",") if word and word != "aws-chunked"]
        found["content-encoding"] = ",".join(left)
    if found.get("content-type") == DEFAULT:
        del found["content-type"]
    return {name: value for name, value in found.items() if value}


class Told:
    """What was told of each file, beside it under another root; a file that was written since says nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def keep(self, file: Path, told: Mapping[str, str]) -> None:
        """Remember this of the file as it is now."""
        beside = self._beside(file)
        if told:
            beside.write_text(json.dumps({"at": file.stat().st_mtime_ns, "told": dict(told)}))
        else:
            beside.unlink(missing_ok=True)

    def of(self, file: Path, written_ns: int) -> dict[str, str]:
        """What was told of the file that was written then."""
        try:
            kept = read_file(self._beside(file), an_object)
        except FileNotFoundError:
            return {}
        return dict(kept["told"]) if kept["at"] == written_ns else {}

    def move(self, old: Path, new: Path) -> None:
        """The file has another name."""
        if self._beside(old).exists():
            self._beside(old).replace(self._beside(new))

    def _beside(self, file: Path) -> Path:
        return self._root / hashlib.sha256(str(file).encode()).hexdigest()
