"""The reader's script with real restic: what it says of a volume that is as it was, and of one that is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.backups.repository.trees import walk
from adapters.backups.stores.local import LocalPlace
from adapters.volsync.reader import Reading, Request, joined, read_log
from adapters.volsync.results import Compared, Listing, Snapshot
from adapters.volsync.script import SCRIPT
from engine.secrets import Secret
from engine.workers import Threads
from recovery.compared.comparison import Comparison, compare
from tests.contract.stores.backup_benches import BIN, PASSWORD
from tests.contract.stores.test_trees import fill, restic
from tests.proof.sealing import cheapen

pytestmark = pytest.mark.programs
WORTH_IT = "67108864"
"""So many bytes are held by two restics at once."""


@dataclass(frozen=True)
class Restored:
    """A volume that restic restored, and what it was restored from."""

    image: Path
    repository: Path
    against: Snapshot
    halves: bool

    def log(self, against: Snapshot | None = None, **environment: str) -> bytes:
        """What the pod would print. Its restic is the real one, which writes down how often it has held something."""
        script = SCRIPT.replace("/tmp/", f"{self.image.parent}/tmp/").replace("cd /data", f"cd '{self.image}'")
        own_bin = self.image.parent / "bin"
        for folder in (own_bin, self.image.parent / "tmp"):
            folder.mkdir(exist_ok=True)  # what a test has put there stands for the image's own
        noted = 'case "$*" in *--dry-run*) echo x >> "$0.held" ;; esac'
        (own_bin / "restic").write_text(f"#!/bin/sh\n{noted}\nexec {BIN}/restic \"$@\"\n")
        (own_bin / "restic").chmod(0o755)
        path = f"{own_bin}:{os.environ['PATH']}"
        own = {"PATH": path, "RESTIC_REPOSITORY": str(self.repository), "RESTIC_PASSWORD": PASSWORD}
        if self.halves:
            script, own["AT_ONCE"] = script.replace(WORTH_IT, "0"), "2"
        asked = Request(against=against or self.against).environment()
        done = subprocess.run(["sh", "-c", script], env=own | asked | environment, capture_output=True, timeout=60)
        assert done.stderr == b""
        return done.stdout

    def times_held(self) -> int:
        """How many restics have held the volume against a snapshot."""
        return len((self.image.parent / "bin" / "restic.held").read_text().splitlines())

    def reading(self, against: Snapshot | None = None, **environment: str) -> Reading:
        return read_log(self.log(against, **environment))

    def compared(self) -> Comparison:
        """As the step compares."""
        walked = walk(LocalPlace(self.repository), Secret(PASSWORD), self.against.snapshot_id, Threads())
        found = self.reading()
        assert found.ended and not found.problems, found.problems
        listing = Listing(joined([found]), complete=True)
        return compare(Listing(walked.entries, complete=True, detail=walked.broken), Compared(listing, found.checked, found.unable))


@pytest.fixture(scope="module", params=["whole", "halves"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bool]:
    """A volume of everything, its repository with one snapshot, and whether it is held by halves: then it has no hard links."""
    if not (BIN / "restic").exists():
        pytest.skip("restic is not built")
    folder = tmp_path_factory.mktemp("saved")
    volume, repository = folder / "volume", folder / "repository"
    volume.mkdir()
    fill(volume)
    if halves := request.param == "halves":
        (volume / "hard").unlink()
    for name in ("database", "media 1/a.jpg", "media 1/b.jpg", "media 2/[x]/c.tar.gz", "media 2/$HOME/d", "media 2/e/f"):
        (volume / name).parent.mkdir(exist_ok=True, parents=True)
        (volume / name).write_bytes(os.urandom(3 << 20 if name == "database" else 1 << 19))
    restic(repository, "init")
    cheapen(repository, PASSWORD)
    restic(repository, "backup", ".", cwd=volume)
    return volume, repository, halves


@pytest.fixture
def restored(saved: tuple[Path, Path, bool], tmp_path: Path) -> Restored:
    """As a mover restores: with `user.*` attributes only, beside a `lost+found` that the file system made."""
    _, repository, halves = saved
    (snapshot,) = json.loads(restic(repository, "snapshots", "--json"))
    image = tmp_path / "image"
    image.mkdir()
    (image / "lost+found").mkdir(mode=0o700)
    restic(repository, "restore", snapshot["id"], "-t", ".", "--include-xattr", "user.*", cwd=image)
    identity = json.loads(restic(repository, "cat", "config"))["id"]
    return Restored(image, repository, Snapshot(identity, snapshot["id"]), halves)


def test_a_volume_of_everything_that_came_back_is_proven(restored: Restored) -> None:
    result = restored.compared()
    assert result.differences == ()
    assert result.told.not_compared == () and result.from_here == ""
    assert restored.times_held() == 1 + restored.halves
    assert result.files > 25 and result.depth.startswith(f"every byte of {result.files} files; compared too: modes, owners, times")


@pytest.mark.parametrize("saved", ["halves"], indirect=True)
def test_a_file_of_two_names_is_held_by_one_restic(restored: Restored) -> None:
    """Two would count it twice."""
    (restored.image / "hard").hardlink_to(restored.image / "plain")
    assert restored.compared().differences[:1] == ("not in the snapshot: hard",)
    assert restored.times_held() == 1


@pytest.mark.parametrize("saved", ["halves"], indirect=True)
@pytest.mark.parametrize("lacks", ["nproc", "awk"])
def test_an_image_without_what_makes_halves_holds_it_as_one(restored: Restored, lacks: str, tmp_path: Path) -> None:
    """What complains there is no gap in the list."""
    lame = tmp_path / "bin" / lacks
    lame.parent.mkdir()
    lame.write_text("#!/bin/sh\necho no >&2\nexit 127\n")
    lame.chmod(0o755)
    assert restored.compared().differences == ()
    assert restored.times_held() == 1


@pytest.mark.parametrize("saved", ["halves"], indirect=True)
@pytest.mark.parametrize("victim", ["media 1/a.jpg", "media 1/b.jpg", "media 2/[x]/c.tar.gz", "media 2/$HOME/d", "media 2/e/f"])
def test_no_half_leaves_out_a_file_or_what_is_beside_it(restored: Restored, victim: str) -> None:
    there = restored.image / victim
    there.write_bytes(os.urandom(1 << 19))
    there.with_name("stranger").touch()
    found = restored.compared().differences
    assert restored.times_held() == 2
    assert {f"content: {victim}", f"not in the snapshot: {Path(victim).with_name('stranger')}"} <= {*found}
    there.unlink()
    assert f"missing: {victim}" in restored.compared().differences


def spoil(image: Path, how: str) -> str:
    """Do it to the image; answers the difference that must be told."""
    match how:
        case "one byte":
            victim = image / "database"
            before, content = victim.stat(), bytearray(victim.read_bytes())
            content[1 << 20] ^= 1
            victim.write_bytes(bytes(content))
            os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
            return "content: database"
        case "a byte of a name that is not UTF-8":
            victim = image / os.fsdecode(b"latin\xff1")
            before = victim.stat()
            victim.write_bytes(b"latin\xff2")
            os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
            return "content: latin\ufffd1"
        case "missing":
            (image / "plain").unlink()
            return "missing: plain"
        case "surplus":
            (image / "deep" / "stranger").touch()
            return "not in the snapshot: deep/stranger"
        case "an empty file is not":
            (image / "empty").write_text("x")
            return "content: empty"
        case "a file became a folder":
            (image / "empty").unlink()
            (image / "empty").mkdir()
            return "kind (file, came back as dir): empty"
        case "target":
            (image / "link").unlink()
            (image / "link").symlink_to("empty")
            return "symlink to another place: link"
        case "time":
            os.utime(image / "early", ns=(1, 5))
            return "time (-86400.000000005 s, came back as 0.000000005 s): early"
        case "mode":
            (image / "early").chmod(0o666)
            return "mode (0644, came back as 0666): early"
        case "attribute":
            os.setxattr(image / "plain", "user.k", b"other")
            return "extended attributes: plain"
        case _:
            (image / "fifo").unlink()
            return "missing: fifo"


@pytest.mark.parametrize(
    "how",
    [
        "one byte", "a byte of a name that is not UTF-8", "missing", "surplus", "an empty file is not", "a file became a folder",
        "target", "time", "mode", "attribute", "fifo",
    ],
)  # fmt: skip
def test_whatever_is_not_as_it_was_is_named(restored: Restored, how: str) -> None:
    difference = spoil(restored.image, how)
    assert difference in restored.compared().differences


@pytest.mark.parametrize("saved", ["whole"], indirect=True)
def test_a_hard_link_that_is_none_any_more_is_named(restored: Restored) -> None:
    (restored.image / "hard").unlink()
    shutil.copy2(restored.image / "plain", restored.image / "hard")
    assert "hard link (its file has other names): hard" in restored.compared().differences


def test_what_restic_would_delete_is_named_as_in_the_snapshot(restored: Restored) -> None:
    (restored.image / "deep" / "stranger").touch()
    checked = restored.reading().checked
    assert checked is not None and checked.surplus == ("deep/stranger",) and checked.differences == 1


def test_the_snapshot_before_it_is_not_this_one(restored: Restored, saved: tuple[Path, Path, bool], tmp_path: Path) -> None:
    """Only one file differs, of the same size: above 256 MiB that one was in no sample."""
    volume, *_ = saved
    repository = tmp_path / "copy"
    shutil.copytree(restored.repository, repository)
    (volume / "database").write_bytes(os.urandom(3 << 20))
    restic(repository, "backup", ".", cwd=volume)
    newer = json.loads(restic(repository, "snapshots", "--json"))[-1]["id"]
    other = replace(restored, repository=repository, against=replace(restored.against, snapshot_id=newer))
    assert "content: database" in other.compared().differences


def test_another_repository_is_found_out_before_anything_is_compared(restored: Restored) -> None:
    found = restored.reading(replace(restored.against, repository_id="beef"))
    assert found.other_repository == restored.against.repository_id
    assert found.checked is None


@pytest.mark.parametrize(
    "environment", [{"RESTIC_PASSWORD": "wrong"}, {"RESTIC_REPOSITORY": "/nowhere"}, {"SNAPSHOT": "12" * 32}], ids=str
)
def test_where_restic_cannot_it_says_why_and_every_file_is_hashed(restored: Restored, environment: dict[str, str]) -> None:
    found = restored.reading(**environment)
    assert found.checked is None and found.unable
    assert found.ended and {e.path for e in joined([found]) if e.kind == "file"} == found.sums.keys()


def test_a_repository_that_lost_a_tree_proves_nothing(restored: Restored, tmp_path: Path) -> None:
    repository = tmp_path / "copy"
    shutil.copytree(restored.repository, repository)
    packs = sorted((path for path in (repository / "data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    packs[0].unlink()
    found = replace(restored, repository=repository).reading()
    assert found.checked is None and found.unable


def test_the_log_holds_no_password_and_no_line_for_each_good_file(restored: Restored) -> None:
    log = restored.log()
    assert PASSWORD.encode() not in log
    assert b"unchanged" not in log
