"""The clone port on the git program: what is here, and what the branch that Flux pulls is at. Never writes, never fetches."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from adapters.git.results import CloneState
from adapters.process.results import Finished, ProgramFailed, Runner
from engine.errors import BlackstartError, PermanentError
from engine.secrets import Secret

LOCAL_S = 30.0
REMOTE_S = 60.0
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REMOTE = "flux"
_USERS_OWN = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "SSH_AUTH_SOCK")


class GitClone:
    """Implements CloneView for the clone that holds `root`; `url` and `branch` are what Flux pulls, `ca_file` "" for the usual.

    The user's own git configuration (with what it ignores), SSH agent and known hosts are used: whoever can push can ask.
    Nothing is ever prompted for.
    """

    def __init__(self, runner: Runner, root: Path, url: str, branch: str, ca_file: str = "") -> None:
        self._runner = runner
        self._root = root
        self._branch = branch
        self._env = _environment(url, ca_file, os.environ)

    def state(self) -> CloneState:
        """See CloneView.state. PermanentError when `root` is no clone or has no commit."""
        try:
            commit = self._git("rev-parse", "--verify", "HEAD^{commit}").stdout.decode().strip()
            branch = self._git("branch", "--show-current").stdout.decode().strip()
            status = self._git("status", "--porcelain=v1", "-z", "--untracked-files=normal")
        except ProgramFailed as error:
            raise PermanentError(
                f"{self._root} is not a clone that git can read",
                evidence=error.evidence,
                hint="run from the clone of your home-ops repository",
            ) from error
        remote, detail = self._remote()
        return CloneState(commit, branch, _paths(status.stdout), remote, detail)

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """See CloneView.descends."""
        if not (_COMMIT.fullmatch(commit) and _COMMIT.fullmatch(ancestor)):
            return None
        code = self._git("merge-base", "--is-ancestor", ancestor, commit, ok=(0, 1, 128)).code
        return None if code == 128 else code == 0  # 128: one of them is not known here

    def _remote(self) -> tuple[str, str]:
        """The branch's commit, or "" and why it is not known."""
        wanted = f"refs/heads/{self._branch}"
        try:
            answer = self._git("ls-remote", _REMOTE, wanted, timeout_s=REMOTE_S).stdout.decode()
        except BlackstartError as error:
            return "", "; ".join((error.what, *error.evidence[-3:]))
        for line in answer.splitlines():
            commit, _, name = line.partition("\t")
            if name == wanted and _COMMIT.fullmatch(commit):
                return commit, ""
        return "", f"there is no branch {self._branch}"

    def _git(self, *words: str, ok: tuple[int, ...] = (0,), timeout_s: float = LOCAL_S) -> Finished:
        return self._runner.run(["git", *words], env=self._env, cwd=self._root, timeout_s=timeout_s, ok=ok)


def _environment(url: str, ca_file: str, ours: Mapping[str, str]) -> dict[str, str | Secret]:
    """The URL goes in as configuration, not as an argument: a user name in it is nobody else's to read.

    HOME is the user's own, against the rule for programs: what is ignored, how a host is reached and who lends a password are
    written there, and a clone that git calls clean must be clean to us.
    """
    env: dict[str, str | Secret] = {
        "GIT_OPTIONAL_LOCKS": "0",  # status would else write the index
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"remote.{_REMOTE}.url",
        "GIT_CONFIG_VALUE_0": url,
    }
    if ca_file:
        env["GIT_SSL_CAINFO"] = ca_file
    env |= {name: ours[name] for name in _USERS_OWN if name in ours}
    return env


def _paths(status: bytes) -> tuple[str, ...]:
    """Paths out of `git status -z`: `XY path`, and after a rename the old path by itself."""
    words = iter(status.decode(errors="replace").split("\0"))
    paths = []
    for word in words:
        if not word:
            continue
        paths.append(word[3:])
        if word[0] in "RC":
            next(words, None)
    return tuple(paths)
