"""What we read of a repository by ourselves, held against what restic says of the same one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.backups.repository.indexes import Index, read_index
from adapters.backups.repository.sealed import Broken, MasterKey, NoKeyFits, master_key
from adapters.backups.stores.local import LocalPlace
from engine.secrets import Secret

BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"
RESTIC = pytest.mark.skipif(not (BIN / "restic").exists(), reason="restic is not built")
PASSWORD = "a-password-of-this-test"
SALTED = b'{"salt": "eA==", "data": "eA==", "N": 16384, "p": 1, "r": %s}'


def restic(repository: Path, *words: str) -> bytes:
    """Its stdout."""
    env = {"RESTIC_PASSWORD": PASSWORD, "PATH": os.environ["PATH"], "HOME": str(repository.parent)}
    argv = [str(BIN / "restic"), "-r", str(repository), "--no-cache", *words]
    return subprocess.run(argv, env=env, capture_output=True, check=True).stdout


@pytest.fixture(scope="module", params=["1", "2"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp(f"format-{request.param}")
    (base / "volume" / "sub").mkdir(parents=True)
    (base / "volume" / "big").write_bytes(os.urandom(700_000))
    (base / "volume" / "sub" / "words").write_text("the same words again and again\n" * 4000)
    made = base / "repository"
    restic(made, "init", "--repository-version", request.param)
    restic(made, "backup", str(base / "volume"))
    (base / "volume" / "sub" / "more").write_text("more")
    restic(made, "backup", str(base / "volume"))
    return made


def opened(repository: Path, password: str = PASSWORD) -> MasterKey:
    """The repository's key."""
    return master_key([file.read_bytes() for file in (repository / "keys").iterdir()], Secret(password))


def index_of(repository: Path) -> Index:
    """All its indexes."""
    return read_index(opened(repository), ((file.name, file.read_bytes()) for file in (repository / "index").iterdir()))


@RESTIC
@pytest.mark.programs
class TestARealOne:
    def test_its_indexes_are_what_restic_prints_of_them(self, repository: Path) -> None:
        found = index_of(repository)
        printed = [
            (pack["id"], blob)
            for file in (repository / "index").iterdir()
            for pack in json.loads(restic(repository, "cat", "index", file.name))["packs"]
            for blob in pack["blobs"]
        ]
        assert len(printed) == len(found.blobs) > 3
        for pack, blob in printed:
            mine = found.blob(blob["type"], blob["id"])
            assert mine is not None
            assert (mine.pack, mine.offset, mine.length, mine.whole) == (
                pack, blob["offset"], blob["length"], blob.get("uncompressed_length", 0),
            )  # fmt: skip

    def test_every_pack_is_exactly_as_long_as_its_index_makes_it(self, repository: Path) -> None:
        assert index_of(repository).packs == LocalPlace(repository).packs().sizes

    def test_its_config_opens_and_another_password_opens_nothing(self, repository: Path) -> None:
        config = json.loads(opened(repository).unpacked((repository / "config").read_bytes()))
        assert config == json.loads(restic(repository, "cat", "config"))
        with pytest.raises(NoKeyFits):
            opened(repository, "another password")

    def test_a_password_is_tried_on_a_key_once(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real, tried = hashlib.scrypt, []
        monkeypatch.setattr(hashlib, "scrypt", lambda word, **more: tried.append(word) or real(word, **more))
        word = "a-password-that-no-other-test-has"
        for _ in range(2):
            with pytest.raises(NoKeyFits):
                opened(repository, word)
        assert tried == [word.encode()]

    def test_one_bit_that_is_another_is_broken(self, repository: Path) -> None:
        sealed = bytearray((repository / "config").read_bytes())
        for at in (0, len(sealed) // 2, len(sealed) - 1):
            sealed[at] ^= 1
            with pytest.raises(Broken):
                opened(repository).unpacked(bytes(sealed))
            sealed[at] ^= 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"[]", b"not json", b'{"salt": "x", "data": 1}', b"[" * 100_000, SALTED % b"[]", SALTED % b'"8"'],
)
def test_a_key_file_that_restic_never_wrote_is_broken_and_no_wrong_password(content: bytes) -> None:
    with pytest.raises(Broken):
        master_key([content], Secret(PASSWORD))


def test_no_key_at_all_is_no_fit() -> None:
    with pytest.raises(NoKeyFits):
        master_key([], Secret(PASSWORD))


@pytest.mark.parametrize("length", [0, 31, 32, 100])
def test_what_was_never_sealed_is_broken(length: int) -> None:
    with pytest.raises(Broken):
        MasterKey(b"k" * 32, b"m" * 16, b"r" * 16).open(b"x" * length)
