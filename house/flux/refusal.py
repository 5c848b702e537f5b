"""What kustomize says of a folder that it refuses, told where it can be mended. Flux refuses it in the same words."""

from __future__ import annotations

import os
import re

from house.files.problems import Problem
from house.flux.building import NotBuilt
from house.flux.outside import may_make_backups
from house.flux.reads import NAMES, Reads
from house.flux.rendered import NotFollowed, RenderedObject

# The innermost folder that it names is where the trouble is; before it stands the way that led there.
_WAYS = (
    re.compile(r".*recursed accumulation of path '([^']+)': (.*)"),
    re.compile(r".*couldn't make target for path '([^']+)': (.*)"),
)
_FILES = (
    re.compile(r"accumulating resources: accumulating resources from '([^']+)': (.*)"),
    re.compile(r"accumulating resources: accumulation err='accumulating resources from '([^']+)': (.*)': must build at \w+: .*"),
)
_BETTER = "Flux refuses it in the same words, and applies nothing of it: mend it"


def refusal(error: NotBuilt, reads: Reads, declared: RenderedObject) -> Problem | NotFollowed:
    """The problem of a build that was refused, at the file or the kustomization that is wrong, else where `declared` stands.

    Where it lacks something that lies elsewhere nobody knows whether Flux, which fetches that, would refuse it."""
    words = " ".join(error.evidence) if error.evidence else error.what
    if reads.remotes:
        away = reads.remotes[0]
        why = f"cannot be built without {away.entry}, which lies elsewhere (kustomize: {words})"
        makes = any(map(may_make_backups, reads.files.values()))
        return NotFollowed(f"Kustomization {declared.namespace}/{declared.name}", why, away.file, away.line, makes_backups=makes)
    folder, said, found = reads.folder, words, False
    for way in _WAYS:
        if (inner := way.fullmatch(said)) is not None:
            folder, said, found = inner[1].rstrip("/"), inner[2], True
    for form in _FILES:
        named = form.fullmatch(said)
        if named is not None and (file := os.path.normpath(f"{folder}/{named[1]}")) in reads.files:
            return Problem(file, 0, "", f"kustomize refuses it: {named[2].strip()}", _BETTER)
    for name in NAMES:
        file = name if folder == "." else f"{folder}/{name}"
        if file in reads.files and (found or file in reads.own):
            return Problem(file, 0, "", f"kustomize refuses it: {said}", _BETTER)
    what = f"{reads.folder} of {declared.namespace}/{declared.name} is refused by kustomize: {said}"
    return Problem(declared.file, declared.line, "", what, _BETTER)
