"""What is known of a repository of kopia from its place alone, and how often kopia is asked: a Runner that plays it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backups.opening import Openings
from adapters.backups.results import Depth, Repository, Verdict
from adapters.kopia.adapter import KopiaBackups
from adapters.kopia.opening import KopiaOpenings
from adapters.process.results import Finished
from adapters.secrets.resolver import Secrets
from engine.waiting import SystemClock
from house.model import SecretRef

ANSWERS = {
    "repository status": {"uniqueIDHex": "00ff"},
    "snapshot list": [
        {
            "id": "one", "source": {"userName": "notes", "host": "apps", "path": "/data"}, "startTime": "2026-10-01T02:00:00Z",
            "rootEntry": {"obj": "k1", "summ": {"files": 3, "size": 9}}, "stats": {},
        }
    ],
}  # fmt: skip
HEX = "0123456789abcdef" * 2


class Kopia:
    """Plays kopia: what ANSWERS has but for `odd`, empty lists, and nothing wrong with anything else."""

    def __init__(self, odd: dict[str, bytes]) -> None:
        self.asked: list[str] = []
        self._odd = odd

    def run(self, argv: Sequence[str], **_: object) -> Finished:
        words = " ".join(argv[1:3])
        self.asked.append(words)
        return Finished("kopia", 0, self._odd.get(words, json.dumps(ANSWERS.get(words)).encode()), (), 0.1)

    def stream(self, argv: Sequence[str], sink: Callable[[bytes], object], **_: object) -> Finished:
        sink(self._odd.get(" ".join(argv[1:3]), b"[\n]\n"))
        return self.run(argv)


def played(root: Path, odd: dict[str, bytes] | None = None) -> tuple[Kopia, KopiaBackups, Repository]:
    runner = Kopia(odd or {})
    secrets = Secrets(runner, root, None, {"PASSWORD": "kept-by-kopia-alone"})
    repository = Repository(
        "apps/notes", str(root), SecretRef(("env:PASSWORD",)), engine="kopia", identity="notes@apps:/data"
    )
    return runner, KopiaBackups(runner, KopiaOpenings(Openings(secrets)), SystemClock()), repository


@pytest.mark.parametrize(
    ("there", "verdict", "told"),
    [
        (("kopia.blobcfg.f", "p"), Verdict.UNREADABLE, "its kopia.repository is gone"),
        (("p", "q"), Verdict.UNREADABLE, "its kopia.repository is gone"),
        ((f"p{HEX}-s0123456789abcdef",), Verdict.UNREADABLE, "its kopia.repository is gone"),
        ((f"q{HEX}",), Verdict.UNREADABLE, "its kopia.repository is gone"),
        ((f"xn0_{HEX}-s01-c1",), Verdict.UNREADABLE, "its kopia.repository is gone"),
        (("_log_20261001020000_ab12",), Verdict.UNREADABLE, "its kopia.repository is gone"),
        (("photos", "song.mp3", "pictures of 2024"), Verdict.MISSING, "no repository among what is there"),
        (("config",), Verdict.FOREIGN, "restic"),
    ],
)
def test_what_the_place_alone_tells(tmp_path: Path, there: tuple[str, ...], verdict: Verdict, told: str) -> None:
    for name in there:
        (tmp_path / name).write_text("x")
    runner, backups, repository = played(tmp_path)
    look = backups.look(repository)
    assert look.verdict is verdict and told in look.detail, look
    assert backups.identity(repository) == "" and runner.asked == [], "and kopia is not asked"


def test_one_is_opened_with_its_points_and_an_id_of_repository_and_identity(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    _, backups, repository = played(tmp_path)
    look = backups.look(repository)
    assert look.verdict is Verdict.OK and [point.snapshot_id for point in look.points] == ["one"]
    assert look.repository_id == backups.identity(repository) not in ("", "00ff")


def test_what_was_found_whole_is_not_looked_into_again_and_another_snapshot_is(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    runner, backups, repository = played(tmp_path)
    for snapshot in ("one", "one", "two"):
        assert backups.examine(repository, snapshot, Depth.TREE, limit_s=5.0).verdict is Verdict.OK
    assert runner.asked.count("snapshot verify") == 2


@pytest.mark.parametrize("said", [b"", b"{}", b"null", b'{"snapshots": []}', b"[1]", b"[", b"broken"])
def test_a_list_of_snapshots_that_is_not_understood_is_not_an_empty_one(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    _, backups, repository = played(tmp_path, {"snapshot list": said})
    assert backups.look(repository).verdict is Verdict.UNKNOWN


def blobs(*names: str) -> bytes:
    rows = [json.dumps({"id": name, "length": 9, "timestamp": "2026-10-01T02:00:00Z"}) for name in names]
    return ("[\n" + ",\n".join(rows) + "\n]\n").encode()


WIKI = {"userName": "wiki", "host": "apps", "path": "/data"}
OTHERS = json.dumps([{"id": "two", "source": WIKI, "startTime": "2026-10-01T02:00:00Z"}]).encode()
NONE = b"[\n]"


@pytest.mark.parametrize("listed", [NONE, OTHERS])
@pytest.mark.parametrize(("there", "verdict"), [
    ((f"p{HEX}-s0123456789abcdef",), Verdict.UNREADABLE), ((f"q{HEX}",), Verdict.UNREADABLE),
    ((f"p{HEX}-s01", "s01-c1"), Verdict.EMPTY), ((), Verdict.EMPTY),
])  # fmt: skip
def test_where_snapshots_may_be_lost_with_their_index_none_is_not_empty(
    tmp_path: Path, there: tuple[str, ...], verdict: Verdict, listed: bytes
) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    _, backups, repository = played(tmp_path, {"snapshot list": listed, "blob list": blobs(*there)})
    look = backups.look(repository)
    assert look.verdict is verdict, look
    assert verdict is Verdict.EMPTY or "in no index" in look.detail


def test_where_a_pack_that_an_index_knows_is_gone_none_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    piece = json.dumps({"packFile": f"q{HEX}", "packOffset": 0, "length": 5}).encode()
    odd = {"snapshot list": NONE, "blob list": blobs(f"p{HEX}-s01"), "content list": b"[\n" + piece + b"\n]\n"}
    assert played(tmp_path, odd)[1].look(played(tmp_path)[2]).verdict is Verdict.UNREADABLE


def test_one_without_snapshots_is_empty(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    _, backups, repository = played(tmp_path, {"snapshot list": b"[\n]"})
    assert backups.look(repository).verdict is Verdict.EMPTY


@pytest.mark.parametrize("words", ["blob list", "content list"])
@pytest.mark.parametrize("said", [b"", b"[\n", b"null\n", b"{}\n", b'[\n {"id": 1},\n'])
def test_a_list_of_the_store_that_breaks_off_is_not_whole(tmp_path: Path, words: str, said: bytes) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    _, backups, repository = played(tmp_path, {words: said})
    assert backups.examine(repository, "one", Depth.TREE, limit_s=5.0).verdict is Verdict.UNKNOWN


def blob(name: str, length: int) -> str:
    return json.dumps({"id": name, "length": length, "timestamp": "2026-10-01T02:00:00Z"})


def listed(*rows: str) -> bytes:
    return "\n".join(["[", *(f" {row}," for row in rows), "]"]).encode()


def test_indexes_are_read_once_for_all_claims_that_share_a_repository_while_its_store_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    piece = json.dumps({"packFile": "p1", "packOffset": 0, "length": 90})
    odd = {"blob list": listed(blob("p1", 90)), "content list": listed(piece)}
    runner, backups, repository = played(tmp_path, odd)
    other = replace(repository, name="apps/photos", identity="photos@apps:/data")
    assert backups.examine(repository, "one", Depth.TREE, limit_s=5.0).verdict is Verdict.OK
    assert backups.examine(other, "two", Depth.TREE, limit_s=5.0).verdict is Verdict.OK
    assert runner.asked.count("content list") == 1 and runner.asked.count("blob list") == 2
    odd["blob list"] = listed(blob("p1", 89))
    assert backups.examine(other, "three", Depth.TREE, limit_s=5.0).verdict is Verdict.DAMAGED, "a pack is a byte short"
    assert runner.asked.count("content list") == 2


def test_claims_that_are_looked_at_at_once_wait_for_the_one_that_reads(tmp_path: Path) -> None:
    (tmp_path / "kopia.repository.f").write_text("x")
    runner, backups, repository = played(tmp_path, {"blob list": listed(blob("p1", 90))})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: backups.examine(repository, name, Depth.INDEXED, limit_s=5.0), "abcd"))
    assert {one.stored for one in found} == {90} and runner.asked.count("content list") == 1
