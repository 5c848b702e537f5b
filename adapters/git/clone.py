"""The clone port on the git program: what is here, and what the branch that Flux pulls is at. Never writes, never fetches."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
        status = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]  # all that is known here, in one start
        try:
            told = _told(self._git(*status).stdout)
            if not _COMMIT.fullmatch(told.commit):
                raise _unreadable(self._root, (f"its branch {told.branch} has no commit yet",))
        except ProgramFailed as error:
            raise _unreadable(self._root, error.evidence) from error
        remote, detail = self._remote()
        return CloneState(told.commit, told.branch, told.paths, remote, detail)

    def commit(self) -> str:
        """See CloneView.commit. PermanentError when `root` is no clone or has no commit."""
        try:
            return self._git("rev-parse", "--verify", "HEAD^{commit}").stdout.decode().strip()
        except ProgramFailed as error:
            raise _unreadable(self._root, error.evidence) from error

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


@dataclass(frozen=True)
class _Told:
    """What git status tells. `branch` is "" where none is checked out."""

    commit: str
    branch: str
    paths: tuple[str, ...]


# How many words stand before the path in a line of each kind (git-status(1), porcelain format 2).
_BEFORE_PATH = {"1": 8, "2": 9, "u": 10, "?": 1}


def _told(status: bytes) -> _Told:
    """Out of `git status --porcelain=v2 --branch -z`; the entry of a rename is followed by the old path by itself."""
    entries = iter(status.decode(errors="replace").split("\0"))
    head, paths = dict[str, str](), []
    for entry in entries:
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            head[name] = value
        elif kind in _BEFORE_PATH:
            paths.append(entry.split(" ", _BEFORE_PATH[kind])[-1])
            if kind == "2":
                next(entries, None)
    branch = head.get("branch.head", "")
    return _Told(head.get("branch.oid", ""), "" if branch == "(detached)" else branch, tuple(paths))


def _unreadable(root: Path, evidence: tuple[str, ...]) -> PermanentError:
    return PermanentError(
        f"{root} is not a clone that git can read", evidence=evidence, hint="run from the clone of your home-ops repository"
    )
