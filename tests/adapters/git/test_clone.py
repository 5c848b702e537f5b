"""The clone port with real git on repositories of this test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.git.clone import GitClone
from adapters.process.keeper import Keeper
from engine.errors import PermanentError

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
}  # fmt: skip


def git(where: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=where, env=ENV, check=True, capture_output=True, text=True).stdout.strip()


def commit(where: Path, name: str) -> str:
    (where / name).write_text(name)
    git(where, "add", name)
    git(where, "commit", "-qm", name)
    return git(where, "rev-parse", "HEAD")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with Keeper(tmp_path / "state") as it:
        yield it


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "clone")
    where = tmp_path / "clone"
    git(where, "checkout", "-q", "-B", "main")
    commit(where, "first")
    git(where, "push", "-q", "origin", "main")
    return where


def port(keeper: Keeper, clone: Path, branch: str = "main", url: str = "") -> GitClone:
    return GitClone(keeper, clone, url or str(clone.parent / "remote.git"), branch)


def test_a_clean_clone_at_the_branch(keeper: Keeper, clone: Path) -> None:
    state = port(keeper, clone).state()
    assert state.commit == state.remote_commit == git(clone, "rev-parse", "HEAD")
    assert (state.branch, state.dirty, state.remote_detail) == ("main", (), "")


def test_everything_uncommitted_is_named_and_nothing_is_written(keeper: Keeper, clone: Path) -> None:
    commit(clone, "second")
    git(clone, "mv", "first", "renamed ü")
    (clone / "second").write_text("changed")
    (clone / "untracked").write_text("new")
    (clone / ".gitignore").write_text("*.key\n")
    (clone / "age.key").write_text("not asked for")
    index = (clone / ".git" / "index").read_bytes()
    state = port(keeper, clone).state()
    assert sorted(state.dirty) == [".gitignore", "renamed ü", "second", "untracked"]
    assert state.commit != state.remote_commit
    assert (clone / ".git" / "index").read_bytes() == index


def test_what_the_user_s_own_git_ignores_and_rewrites_counts(
    keeper: Keeper, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home" / ".config" / "git"
    own.mkdir(parents=True)
    (own / "ignore").write_text(".DS_Store\n")
    (own / "config").write_text(f'[url "{clone.parent}/"]\n\tinsteadOf = "house:"\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    (clone / ".DS_Store").write_text("")
    state = port(keeper, clone, url="house:remote.git").state()
    assert (state.dirty, state.remote_detail) == ((), "")
    assert state.remote_commit == state.commit


def test_a_remote_that_cannot_be_asked_says_why(keeper: Keeper, clone: Path, tmp_path: Path) -> None:
    for state in (
        port(keeper, clone, url=str(tmp_path / "nowhere.git")).state(),
        port(keeper, clone, url="http://127.0.0.1:9/x.git").state(),
        port(keeper, clone, branch="absent").state(),
    ):
        assert state.remote_commit == "" and state.remote_detail and state.commit
    assert "no branch absent" in state.remote_detail


def test_a_user_name_in_the_url_is_in_no_argument(tmp_path: Path, clone: Path) -> None:
    record: list[tuple[str, ...]] = []
    with Keeper(tmp_path / "other", on_argv=record.append) as keeper:
        port(keeper, clone, url="https://me:tokentoken@127.0.0.1:9/x.git").state()
    assert record and "tokentoken" not in str(record)


def test_descent_is_yes_no_or_not_known(keeper: Keeper, clone: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")
    second = commit(clone, "second")
    it = port(keeper, clone)
    assert it.descends(second, first) is True
    assert it.descends(first, first) is True
    assert it.descends(first, second) is False
    assert it.descends("ab" * 20, first) is None
    assert it.descends("--help", first) is None


def test_what_is_no_clone_is_one_clear_error(keeper: Keeper, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(PermanentError, match="not a clone"):
        port(keeper, tmp_path / "plain").state()


def test_a_clone_without_a_commit_is_told_as_one(keeper: Keeper, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "new")
    with pytest.raises(PermanentError, match="not a clone") as refused:
        port(keeper, tmp_path / "new").state()
    assert refused.value.evidence == ("its branch main has no commit yet",)


def test_no_branch_and_paths_of_every_kind_are_read(keeper: Keeper, clone: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")
    (clone / "first").write_text("theirs\n")
    git(clone, "commit", "--quiet", "--all", "--message=theirs")
    git(clone, "checkout", "--quiet", "--detach", first)
    (clone / "first").write_text("ours\n")
    git(clone, "commit", "--quiet", "--all", "--message=ours")
    subprocess.run(["git", "merge", "--quiet", "main"], cwd=clone, env=ENV, check=False, capture_output=True)
    (clone / "two words").write_text("new")
    state = port(keeper, clone).state()
    assert (state.branch, state.commit) == ("", git(clone, "rev-parse", "HEAD"))
    assert sorted(state.dirty) == ["first", "two words"], "the first is in conflict"


def test_one_look_starts_git_twice(tmp_path: Path, clone: Path) -> None:
    record: list[tuple[str, ...]] = []
    with Keeper(tmp_path / "other", on_argv=record.append) as keeper:
        port(keeper, clone).state()
        assert [argv[1] for argv in record] == ["status", "ls-remote"]


def test_the_commit_alone_is_told_without_the_branchs_server(tmp_path: Path, clone: Path) -> None:
    record: list[tuple[str, ...]] = []
    with Keeper(tmp_path / "other", on_argv=record.append) as keeper:
        assert port(keeper, clone, url="http://127.0.0.1:9/x.git").commit() == git(clone, "rev-parse", "HEAD")
        (tmp_path / "plain").mkdir()
        with pytest.raises(PermanentError, match="not a clone"):
            port(keeper, tmp_path / "plain").commit()
    assert {argv[1] for argv in record} == {"rev-parse"}
