"""An image that VolSync restored from the S3 door is held against its snapshot by restic, in a pod, with no download of data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.volsync.results import Sight
from bench.proof import Load, Rig, rig
from tests.lab.parts.bench import Bench, cheaply_opened

pytestmark = pytest.mark.programs
KNOWN = "\udcff\udcfe latin"


@dataclass(frozen=True)
class Odd(Load):
    """A small volume with one of everything that has bitten somebody."""

    size: int = 3 << 20
    files: int = 24
    folders: int = 6

    def fill(self, volume: Path) -> None:
        super().fill(volume)
        (volume / "data").mkdir()
        (volume / "data" / "config.ini").write_text("x")
        (volume / KNOWN).write_text("not UTF-8")
        (volume / "line\nbreak\\").write_text("odd")
        (volume / "empty").touch()
        (volume / "one").write_text("two names")
        (volume / "two").hardlink_to(volume / "one")
        (volume / "link").symlink_to("nowhere/at all")
        os.setxattr(volume / "one", "user.a=b", b"\0\xff")
        os.utime(volume / "data", ns=(1, 1_600_000_000_123_456_789))


@pytest.fixture
def made(bench: Bench, tmp_path: Path) -> Iterator[Rig]:
    with rig(bench, tmp_path) as one:
        one.once_backed_up = cheaply_opened
        yield one


def image_folder(made: Rig) -> Path:
    """Where the lab keeps the newest image's content."""
    found = [path for path in made.bench.cluster.disks.snapshots.iterdir() if (path / "data" / "config.ini").exists()]
    return max(found, key=lambda path: path.stat().st_ctime_ns)


def test_every_byte_of_an_odd_volume_is_proven_and_no_data_pack_is_read(made: Rig) -> None:
    image = made.restored(Odd())
    made.store.reads.clear()
    result = made.proof(image)
    assert result.differences == ()
    assert (result.files, result.from_here) == (Odd().files + 6, "")
    assert result.told.not_compared == (() if os.geteuid() == 0 else ("owners",))
    assert "extended attributes" in result.told.compared and "times" in result.told.compared
    assert made.data_packs_read() == 0
    assert 0 < result.downloaded < 200_000

    # The same image with one byte changed, of the same size and time.
    folder = image_folder(made)
    victim = next(path for path in sorted(folder.rglob("file*")) if path.is_file())
    before, content = victim.stat(), bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert made.proof(image).differences == (f"content: {victim.relative_to(folder)}",)

    # What restic does not compare is compared with the trees.
    (folder / "link").unlink()
    (folder / "link").symlink_to("elsewhere")
    (folder / "two").unlink()
    (folder / "two").write_text("two names")
    os.setxattr(folder / "one", "user.a=b", b"other")
    told = made.proof(image).differences
    for difference in (
        "symlink to another place: link",
        "extended attributes: one",
        "hard link (its file has other names): one",
        f"content: {victim.relative_to(folder)}",
    ):
        assert difference in told, told


def test_a_pod_like_the_mover_s_tells_which_repository_it_opens(made: Rig) -> None:
    made.restored(Odd(files=2, folders=1))
    assert made.reader.identify(made.space, "app", "repository") == Sight(made.snapshot().repository_id)
