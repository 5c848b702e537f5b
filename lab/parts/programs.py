"""Where the lab finds the programs it runs and the definitions they come with. Knows no flags, and builds nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lab.parts.errors import ProgramMissing
from tools import crds, golang, locate
from tools.errors import ToolError
from tools.manifest import named
from tools.places import Places

CHECKOUT = Places().checkout


@cache
def find(name: str) -> Path:
    """The path of a program of tools/manifest.py that fits. ProgramMissing when there is none."""
    try:
        return locate.need(name)
    except ToolError as error:
        raise _missing(error) from error


@cache
def definitions(name: str) -> tuple[Path, ...]:
    """The YAML files with the custom resource definitions of `volsync`, `snapshots`, `source-controller`, …"""
    try:
        return crds.files(name)
    except ToolError as error:
        raise _missing(error) from error


@cache
def module_folder(program: str) -> Path:
    """The source folder, in Go's module cache, of the module that a program was built from (its roles are read there)."""
    source = named(program).source
    assert source is not None, f"{program} is not built from source"
    try:
        return golang.module_folder(golang.find_go(), Places().module(source), source.module)
    except ToolError as error:
        raise _missing(error) from error


def _missing(error: ToolError) -> ProgramMissing:
    return ProgramMissing(str(error), hint=getattr(error, "hint", ""), next_command=getattr(error, "next_command", ""))
