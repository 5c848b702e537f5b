"""What a listing tells: addresses, folders that are not mounted, buckets that only look empty, keys that may not look."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.backups.stores.local import LocalPlace
from adapters.backups.stores.mounts import not_mounted
from adapters.backups.stores.places import (
    FOLDERS,
    Contents,
    PlaceRefused,
    PlaceUnreachable,
    S3Address,
    SftpAddress,
    s3_address,
    sftp_address,
)
from adapters.backups.stores.s3 import S3Clients, S3Credentials, S3Place
from engine.secrets import Secret
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults

A, B = "ab" * 32, "cd" * 32
KEYS = {
    "full": AccessKey("FULL", Secret("secret-of-the-full-key")),
    "phrase": AccessKey("PHRASE", Secret("secret-of-the-other-phrase"), phrase="mistyped"),
    "blind": AccessKey("BLIND", Secret("secret-of-the-blind-key"), may=frozenset({"read"})),
}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3:https://h:7777/bucket/app", S3Address("https://h:7777", "bucket", "app")),
        ("s3:https://h/bucket/a/b/", S3Address("https://h", "bucket", "a/b")),
        ("s3:h/bucket", S3Address("https://h", "bucket", "")),
        ("s3://h/bucket/app", S3Address("https://h", "bucket", "app")),
        ("s3:http://h/bucket/app", S3Address("http://h", "bucket", "app")),
        ("/repository/app", None),
        ("sftp:u@h:/x", None),
    ],
)
def test_s3_addresses(text: str, address: S3Address | None) -> None:
    assert s3_address(text) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sftp:me@nas:/pool/app", SftpAddress("me", "nas", 22, "/pool/app")),
        ("sftp:nas:app", SftpAddress("", "nas", 22, "app")),
        ("sftp://me@nas:2222//pool/app", SftpAddress("me", "nas", 2222, "/pool/app")),
        ("sftp://me@[::1]:2222//pool/app", SftpAddress("me", "::1", 2222, "/pool/app")),
        ("s3:h/b/app", None),
        ("/repository/app", None),
    ],
)
def test_sftp_addresses(text: str, address: SftpAddress | None) -> None:
    assert sftp_address(text) == address


def test_a_folder_is_listed_by_what_restic_keeps_in_it(tmp_path: Path) -> None:
    place = tmp_path / "app"
    for name in (f"keys/{A}", f"keys/{B}", f"snapshots/{A}", f"index/{A}", f"locks/{A}", "data/00/a", "locks/.DS_Store"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x")
    (place / "config").write_text("155 bytes")
    found = LocalPlace(place).contents()
    assert (found.config_size, found.keys, found.snapshots, found.indexes, found.others) == (9, 2, 1, 1, ())
    assert (found.strays, LocalPlace(place).names("locks")) == (("locks/.DS_Store",), (A,))
    assert found.locks == ((place / "locks" / A).stat().st_mtime,)
    assert found.packs
    (place / "data/00/a").unlink()
    assert not LocalPlace(place).contents().packs


def test_absent_beside_others_is_nothing_but_a_share_that_is_not_mounted_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "repository" / "other").mkdir(parents=True)
    assert LocalPlace(tmp_path / "repository" / "app").contents().nothing
    with pytest.raises(PlaceUnreachable, match="is the share mounted"):
        LocalPlace(tmp_path / "not-there" / "app").contents()
    (tmp_path / "empty").mkdir()
    if tmp_path.stat().st_dev == Path("/").stat().st_dev:
        with pytest.raises(PlaceUnreachable, match="is the share mounted"):
            LocalPlace(tmp_path / "empty" / "app").contents()


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """Somebody whom this folder is closed to, also where the tests run as root, to whom nothing is."""
    own = os.geteuid()
    folder.chmod(0)
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)
        folder.chmod(0o700)


@pytest.mark.parametrize("closed", ["repository", "repository/app/data", "repository/app/data/00", "repository/app/keys"])
def test_what_may_not_be_looked_at_is_refused_and_never_taken_for_absent(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to everybody else
        root, place = Path(name), Path(name) / "repository" / "app"
        root.chmod(0o755)
        for file in ("keys/a", "snapshots/a", "index/a", "data/00/a", "config"):
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text("x")
        assert LocalPlace(place).contents().packs
        with nobody(root / closed), pytest.raises(PlaceRefused, match="permission denied"):
            LocalPlace(place).contents()


def test_an_empty_folder_on_its_parent_s_disk_may_be_a_share_that_is_not_mounted(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "other" / "data").mkdir(parents=True)
    with pytest.raises(PlaceUnreachable, match="is empty, and on the same disk as"):
        LocalPlace(tmp_path / "app").contents()


def test_a_mount_point_of_the_machine_s_table_that_is_not_mounted_says_nothing(tmp_path: Path) -> None:
    table, point = tmp_path / "fstab", tmp_path / "nas box"
    (point / "notes").mkdir(parents=True)
    (point / "notes" / "config").write_text("left behind, and no repository")
    escaped = str(point).replace(" ", "\\040")
    table.write_text(f"# a share\nnas:/backups {escaped} nfs4 ro 0 0\nproc /proc proc defaults 0 0\n")
    assert not_mounted(point / "notes", fstab=table) == f"{point} is in {table} and is not mounted: `mount {point}`"
    assert not_mounted(Path("/proc/1"), fstab=table) == ""
    assert not_mounted(point / "notes", fstab=tmp_path / "none") == ""


def test_a_file_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert LocalPlace(tmp_path / "file").contents().others == ("file",)


@pytest.mark.parametrize(
    ("name", "engine"), [("kopia.repository.f", "kopia"), ("kopia.repository", "kopia"), ("readme.txt", "")]
)
def test_kopia_is_known_by_its_files(name: str, engine: str) -> None:
    assert Contents(others=(name,)).foreign_engine == engine


@dataclass
class Bucket:
    door: S3Door
    ca_file: Path
    clients: S3Clients

    def place(self, prefix: str = "app", key: str = "full", bucket: str = "backups") -> S3Place:
        held = KEYS[key]
        credentials = S3Credentials(held.key_id, held.secret, ca_file=str(self.ca_file))
        return S3Place(self.clients.get(self.door.url, credentials), S3Address(self.door.url, bucket, prefix))


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    authority = LabCA(tmp_path / "ca")
    objects = ObjectStore(tmp_path / "s3")
    objects.make_bucket("backups")
    for name in (
        "config", f"keys/{A}", f"snapshots/{A}", f"snapshots/{B}", f"index/{A}", f"locks/{A}", "data/00/a", f"index/{A}.bak",
        f"locks/x/{A}",
    ):  # fmt: skip
        objects.write("backups", f"app/{name}", b"x" * 155)
    context = authority.server("s3", "127.0.0.1").context()
    door = S3Door(objects, tuple(KEYS.values()), context, Faults()).start()
    yield Bucket(door, authority.ca_file, S3Clients())
    door.close()


def test_a_prefix_is_listed_folder_by_folder(bucket: Bucket) -> None:
    found = bucket.place().contents()
    assert (found.config_size, found.keys, found.snapshots, found.indexes, len(found.locks)) == (155, 1, 2, 1, 1)
    assert (found.others, found.strays) == ((), (f"index/{A}.bak", f"locks/x/{A}"))
    assert [bucket.place().names(folder) for folder in FOLDERS] == [(A,), (A, B), (A,), (A,)]


def test_a_misspelt_prefix_is_nothing_and_says_that_the_bucket_is_not_empty(bucket: Bucket) -> None:
    found = bucket.place("ap").contents()
    assert found.nothing and found.detail == "bucket backups was listed, nothing is at ap/"


def test_keys_of_another_phrase_see_nothing_and_the_detail_warns(bucket: Bucket) -> None:
    found = bucket.place(key="phrase").contents()
    assert found.nothing and "another encryption phrase" in found.detail


def test_a_missing_bucket_is_nothing(bucket: Bucket) -> None:
    found = bucket.place(bucket="nowhere").contents()
    assert found.nothing and found.detail == "there is no bucket nowhere"


def test_a_key_that_may_not_list_is_refused(bucket: Bucket) -> None:
    with pytest.raises(PlaceRefused, match="403 AccessDenied"):
        bucket.place(key="blind").contents()


def test_throttling_is_waited_out(bucket: Bucket) -> None:
    bucket.door.weather.throttled = 1
    assert bucket.place().contents().keys == 1


def test_a_limit_of_the_account_is_not_taken_for_a_wrong_key(bucket: Bucket) -> None:
    bucket.door.weather.limit = "SegmentsLimitExceeded"
    with pytest.raises(PlaceUnreachable, match="a limit of the account"):
        bucket.place().contents()


def test_a_wrong_clock_is_not_taken_for_a_wrong_key(bucket: Bucket) -> None:
    bucket.door.weather.limit = "RequestTimeTooSkewed"
    with pytest.raises(PlaceUnreachable, match="the clock of this machine or of the store is wrong"):
        bucket.place().contents()


def test_a_certificate_that_is_not_trusted_is_unreachable(bucket: Bucket, tmp_path: Path) -> None:
    other = LabCA(tmp_path / "other-ca")
    place = Bucket(bucket.door, other.ca_file, S3Clients()).place()
    with pytest.raises(PlaceUnreachable, match="SSL validation failed"):
        place.contents()


@pytest.mark.parametrize(("off", "told"), [(0.0, 0.0), (3600.0, 3600.0), (-86400.0, -86400.0)])
def test_a_bucket_tells_what_time_its_store_has_and_a_folder_tells_none(
    bucket: Bucket, tmp_path: Path, off: float, told: float
) -> None:
    ahead = bucket.place().ahead(time.time() + off)
    assert ahead is not None and abs(ahead - told) <= 5.0
    assert LocalPlace(tmp_path).ahead(time.time() + off) is None
