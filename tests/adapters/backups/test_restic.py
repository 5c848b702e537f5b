"""How contents and differences are read: a Runner that plays restic, one recorded answer each. Looks are in test_looks.py."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from adapters.backups.results import Repository
from engine.errors import PermanentError, TransientError
from house.model import SecretRef
from tests.adapters.backups.handmade import Handmade, node
from tests.adapters.backups.played import Answer, Restic, backups


def archived(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in content.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


CONTENT = {"a": b"first", "sub/b": b"x" * 5000, "sub/c": b""}


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Handmade, Repository, str]:
    """A repository with one snapshot of CONTENT, whose files restic is played for; and that snapshot's id."""
    made = Handmade(tmp_path / "made")
    below = made.tree(*(node(path[4:], size=len(data)) for path, data in CONTENT.items() if path.startswith("sub/")))
    top = made.tree(node("a", size=5), node("sub", "dir", subtree=below))
    made.index()
    return made, Repository("apps/notes", str(made.root), SecretRef(("env:PASSWORD",))), made.snapshot(top)


def test_all_files_are_hashed_in_one_run_that_tells_what_it_downloaded(stored: tuple[Handmade, Repository, str]) -> None:
    _, repository, snapshot = stored
    runner = Restic(dump=archived({"latin\udcff": b"not asked for", **CONTENT}))
    found = backups(runner).hashes(repository, snapshot)
    assert found.values == tuple((path, hashlib.sha256(data).hexdigest()) for path, data in CONTENT.items())
    assert found.downloaded == sum(map(len, CONTENT.values()))
    assert [argv[1] for argv in runner.asked] == ["dump"]


def test_a_list_is_read_once_for_a_snapshot_never_changes(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    runner = Restic()
    it = backups(runner)
    listing = it.listing(repository, snapshot)
    assert listing.complete and [e.path for e in listing.entries] == ["a", "sub", "sub/b", "sub/c"]
    shutil.rmtree(made.root)
    assert it.listing(repository, snapshot) == listing
    assert runner.asked == []


@pytest.mark.parametrize(
    "dump",
    [
        archived(CONTENT)[:3000],
        archived({"a": b"first"}),
        archived({**CONTENT, "sub/b": b"short"}),
        b"not an archive at all",
        (1, "Load(<data/123>) failed: no such file"),
    ],
)
def test_a_snapshot_that_breaks_off_is_an_error_and_no_hash(stored: tuple[Handmade, Repository, str], dump: Answer) -> None:
    _, repository, snapshot = stored
    with pytest.raises(PermanentError):
        backups(Restic(dump=dump)).hashes(repository, snapshot)


def test_a_file_whose_attribute_no_archive_can_hold_is_named(tmp_path: Path) -> None:
    made = Handmade(tmp_path / "made")
    top = made.tree(node("fine"), node("odd", extended_attributes=[{"name": "user.a=b", "value": "dg=="}]))
    made.index()
    repository = Repository("apps/notes", str(made.root), SecretRef(("env:PASSWORD",)))
    runner = Restic(dump=(1, "Fatal: archive/tar: cannot encode header: invalid PAX record"))
    with pytest.raises(PermanentError) as error:
        backups(runner).hashes(repository, made.snapshot(top))
    assert error.value.evidence[-1] == "odd has an extended attribute with = in its name"


def test_a_damaged_list_is_not_complete_and_gives_no_hashes(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    shutil.rmtree(made.root / "data")
    listing = backups(Restic()).listing(repository, snapshot)
    assert not listing.complete and "is not there" in listing.detail
    with pytest.raises(PermanentError):
        backups(Restic()).hashes(repository, snapshot)


def test_what_keeps_a_list_from_being_read_has_its_own_error(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    with pytest.raises(PermanentError) as error:
        backups(Restic()).listing(repository, "12" * 32)
    assert error.value.hint == "there is no such snapshot"
    with pytest.raises(PermanentError) as error:
        backups(Restic(), PASSWORD="another-password").listing(repository, snapshot)
    assert "password" in error.value.hint
    (made.root / "index").rename(made.root / "folder")
    (made.root / "index").symlink_to("x" * 300)  # a disk that errs: no name is so long
    with pytest.raises(TransientError):
        backups(Restic()).listing(repository, snapshot)
