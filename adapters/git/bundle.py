"""A whole clone in one file, and what has changed since one was made. Asks no remote; writes nothing but its target."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from adapters.process.results import Finished, ProgramFailed, Runner
from engine.errors import PermanentError
from engine.secrets import Secret

_GIT_S = 300.0
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST = 200
_AUTHORITY = "http.sslCAInfo"


@dataclass(frozen=True)
class Bundled:
    """What a bundle holds: the commit, the branch ("" for none), and what lies in the clone and is not committed."""

    commit: str
    branch: str
    dirty: tuple[str, ...]


class GitBundles:
    """`runner` finds and runs git."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def make(self, root: Path, target: Path) -> Bundled:
        """Everything that the checked-out commit needs. PermanentError for what is no clone, or a shallow one."""
        try:
            commit = self._told(root, "rev-parse", "--verify", "HEAD^{commit}")
            if self._told(root, "rev-parse", "--is-shallow-repository") == "true":
                raise PermanentError(
                    f"{root} is a shallow clone: what it lacks would be missing from the bundle",
                    next_command=f"git -C {root} fetch --unshallow",
                )
            branch = self._git(root, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1)).stdout.decode().strip()
            dirty = self._git(root, "status", "--porcelain", "-z").stdout.decode(errors="replace").split("\0")
            self._git(root, "bundle", "create", "--quiet", str(target), "HEAD", *([f"refs/heads/{branch}"] if branch else []))
        except ProgramFailed as error:
            raise PermanentError(f"{root} cannot be bundled", evidence=error.evidence) from error
        return Bundled(commit, branch, tuple(line[3:] for line in dirty if line))

    def unfold(self, bundle: Path, folder: Path, url: str) -> str:
        """Clone out of a bundle into a folder that is empty or not there yet, as if it came from `url`; the commit that stands
        there then. PermanentError."""
        try:
            self._git(bundle.parent, "clone", "--quiet", str(bundle), str(folder))
            self._git(folder, "remote", "set-url", "origin", url)
            return self._told(folder, "rev-parse", "--verify", "HEAD^{commit}")
        except ProgramFailed as error:
            raise PermanentError("the bundle of the repository cannot be cloned", evidence=error.evidence) from error

    def authority(self, root: Path) -> str:
        """The file of the authority that this clone's own configuration trusts its server by, as written there; "" for none."""
        found = self._git(root, "config", "--local", "--get", _AUTHORITY, ok=(0, 1))
        return found.stdout.decode().strip() if found.code == 0 else ""

    def trust(self, root: Path, authority: Path) -> None:
        """Have this clone trust its server by the authority in this file. PermanentError."""
        try:
            self._git(root, "config", "--local", _AUTHORITY, str(authority))
        except ProgramFailed as error:
            raise PermanentError(f"the configuration of {root} cannot be written", evidence=error.evidence) from error

    def since(self, root: Path, commit: str) -> tuple[str, ...] | None:
        """The commits that came after this one, newest first, each as `id subject`; None where it is not known there."""
        if not _COMMIT.fullmatch(commit):
            return None
        try:
            if self._git(root, "merge-base", "--is-ancestor", commit, "HEAD", ok=(0, 1, 128)).code != 0:
                return None
            told = self._git(root, "log", f"--max-count={_MOST}", "--format=%h %s", f"{commit}..HEAD").stdout
        except ProgramFailed:
            return None
        return tuple(told.decode(errors="replace").splitlines())

    def commit(self, root: Path) -> str:
        """The commit that is checked out, "" where that is no clone."""
        try:
            return self._told(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except ProgramFailed:
            return ""

    def _told(self, root: Path, *words: str) -> str:
        return self._git(root, *words).stdout.decode().strip()

    def _git(self, root: Path, *words: str, ok: tuple[int, ...] = (0,)) -> Finished:
        env: dict[str, str | Secret] = {"GIT_TERMINAL_PROMPT": "0", "HOME": os.environ.get("HOME", "/")}
        return self._runner.run(["git", "-C", str(root), *words], env=env, timeout_s=_GIT_S, ok=ok)
