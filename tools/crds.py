"""Finds the custom resource definitions that the programs come with, in Go's module cache. Copies nothing, parses nothing."""

from __future__ import annotations

from pathlib import Path

from tools.errors import DefinitionsMissing
from tools.golang import Go, find_go, module_folder
from tools.manifest import DEFINITIONS, Definitions
from tools.places import Places


def files(name: str, *, places: Places | None = None, go: Go | None = None) -> tuple[Path, ...]:
    """The YAML files of `volsync`, `snapshots`, `source-controller`, `kustomize-controller` or `helm-controller`, sorted.

    Raises DefinitionsMissing when Go or the module can't give them, BuildRefused when there is no fitting Go, KeyError for
    another name (a bug of the caller).
    """
    definitions = _named(name)
    within = (places or Places()).modules / definitions.folder
    root = module_folder(go or find_go(), within, definitions.module)
    found = tuple(sorted(root.glob(definitions.pattern)))
    if not found:
        raise DefinitionsMissing(f"{root} holds no {definitions.pattern}: the module of {name} has changed its layout.")
    return found


def _named(name: str) -> Definitions:
    for definitions in DEFINITIONS:
        if definitions.name == name:
            return definitions
    raise KeyError(f"no definitions named {name!r} in tools/manifest.py")
