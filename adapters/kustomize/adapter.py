"""Builds folders with `kubectl kustomize`. Knows no repository, no cluster, and no way to get kubectl.

It is run before anything is open, so by itself and not through the keeper: it reads files, prints, and ends.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from engine.text.words import last_lines
from house.flux.building import NoKustomize, NotBuilt

_TIMEOUT_S = 60.0
_WORDS = 4


class Kubectl:
    """The kubectl that `find` finds when one is needed; `find` raises NoKustomize, with how to get it, when there is none."""

    def __init__(self, find: Callable[[], Path]) -> None:
        self._find = find

    @cached_property
    def _program(self) -> Path:
        return self._find()

    def identity(self) -> str:
        """Path, size and time of the program."""
        try:
            stat = self._program.stat()
        except OSError as error:
            raise NoKustomize(f"{self._program} cannot be run ({error.strerror})", hint="invoke tools.check") from error
        return f"{self._program.resolve()} {stat.st_size} {stat.st_mtime_ns}"

    def build(self, folder: Path) -> bytes:
        """The YAML of a folder's objects. Flux lets a kustomization load files from beside its folder, so this does too."""
        command = [str(self._program), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                # Neither a kubeconfig nor plugins have a say. It ends long before a collection of garbage would pay.
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "KUBECONFIG": os.devnull, "GOGC": "off"},
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotBuilt("kubectl kustomize did not end", evidence=(f"no end within {_TIMEOUT_S:.0f} s",)) from None
        except OSError as error:
            raise NoKustomize(f"{self._program} cannot be run ({error.strerror})", hint="invoke tools.check") from error
        if done.returncode != 0:
            said = last_lines(done.stderr.decode(errors="replace"), _WORDS, noise=("#",))
            words = tuple(line.removeprefix("error: ") for line in said)
            raise NotBuilt("kubectl kustomize refuses it", evidence=words or (f"exit code {done.returncode}",))
        return done.stdout
