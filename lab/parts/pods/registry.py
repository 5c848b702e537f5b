"""Which images there are to pull: in a house, those that its manifests and charts name. Knows no registry and no pod."""

from __future__ import annotations

import re
import tarfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(rf"(?:[\w.-]+(?::\d+)?/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?")
_TEXT = frozenset({".yaml", ".yml", ".json", ".tpl", ".env", ".sh"})
_AGAIN_S = 5.0


def is_reference(image: str) -> bool:
    """Whether a container engine can make anything of this name."""
    return _REFERENCE.fullmatch(image) is not None


class NamedImages:
    """Images whose name (without tag and digest) stands in a text file or a packed chart below these folders, or in `besides`."""

    def __init__(self, *folders: Path, besides: Collection[str] = ()) -> None:
        self._folders = folders
        self._besides = besides
        self._found: set[str] = set()
        self._missed: dict[str, float] = {}

    def __call__(self, image: str) -> bool:
        """Whether the image is there; one that was not is looked for again every few seconds, for Git goes on."""
        name = without_tag(image)
        if name in self._found or name in self._besides:
            return True
        if time.monotonic() < self._missed.get(name, 0.0):
            return False
        if any(name in text for text in self._texts()):
            self._found.add(name)
            return True
        self._missed[name] = time.monotonic() + _AGAIN_S
        return False

    def _texts(self) -> Iterator[str]:
        for folder in self._folders:
            for path in sorted(folder.rglob("*")):
                if path.suffix in _TEXT and path.is_file():
                    yield path.read_text(errors="replace")
                elif path.suffix == ".tgz":
                    yield from _packed(path)


def without_tag(image: str) -> str:
    """The image's name as manifests write it: without digest, tag and the registry that nobody writes."""
    name = image.partition("@")[0]
    if ":" in name.rpartition("/")[2]:
        name = name.rpartition(":")[0]
    return name.removeprefix("docker.io/").removeprefix("library/")


def _packed(path: Path) -> Iterator[str]:
    with tarfile.open(path) as chart:
        for member in chart:
            file = chart.extractfile(member) if Path(member.name).suffix in _TEXT else None
            if file is not None:
                yield file.read().decode(errors="replace")
