"""What kustomize says of a folder that it refuses, told where it can be mended. Flux refuses it in the same words."""

from __future__ import annotations

import re

from house.files.problems import Problem
from house.flux.building import NotBuilt
from house.flux.reads import NAMES, Reads
from house.flux.rendered import RenderedObject

# The innermost folder that it names is where the trouble is; before it stands the way that led there.
_FOLDER = re.compile(r".*couldn't make target for path '([^']+)': (.*)", re.DOTALL)
_BETTER = "Flux refuses it in the same words, and applies nothing of it: mend it"


def refusal(error: NotBuilt, reads: Reads, declared: RenderedObject) -> Problem:
    """The problem of a build that was refused, at the kustomization that is wrong, else where `declared` stands."""
    words = error.evidence[-1] if error.evidence else error.what
    found = _FOLDER.fullmatch(words)
    folder, said = (found[1].rstrip("/"), found[2]) if found is not None else (reads.folder, words)
    for name in NAMES:
        file = name if folder == "." else f"{folder}/{name}"
        if file in reads.files and (found is not None or file in reads.own):
            return Problem(file, 0, "", f"kustomize refuses it: {said}", _BETTER)
    what = f"{reads.folder} of {declared.namespace}/{declared.name} is refused by kustomize: {said}"
    return Problem(declared.file, declared.line, "", what, _BETTER)
