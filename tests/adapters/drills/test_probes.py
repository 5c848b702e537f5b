"""The probes of restored data, run as a kubelet would on real files: what is wrong is *bad*, what could not be seen never is."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess

import pytest

from adapters.drills.probes import SCRIPTS, told
from adapters.drills.results import Health
from house.values.rehearsing import Preset
from tests.adapters.drills.volumes import Volume, health
from tests.rehearsal.probing import a_database

SHELL = shutil.which("sqlite3")


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=[preset.value for preset in SCRIPTS])
def test_scripts_are_shell_that_a_kubelet_leaves_alone(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert "$$" not in text
    assert "$(PATHS)" not in text


@pytest.mark.parametrize("log", ["", "p ok all\n", "end\n", "p fine all\nend\n", "p\nend\n"])
def test_a_log_that_broke_off_has_shown_nothing(log: str) -> None:
    assert told(log).health is Health.UNSEEN


class TestFiles:
    def test_what_is_there_and_holds_something_is_sound(self, volume: Volume) -> None:
        volume.file("conf/app.yaml")
        volume.file("a b/c")
        assert health(volume.seen(Preset.FILES, "conf/app.yaml", "a b")) == (Health.SOUND, "2 of 2 are there, and hold something")

    def test_without_a_name_something_must_be_there(self, volume: Volume) -> None:
        assert volume.seen(Preset.FILES).health is Health.ILL
        volume.file("empty", b"")
        assert volume.seen(Preset.FILES).health is Health.ILL
        volume.file("deep/er/file")
        assert volume.seen(Preset.FILES).health is Health.SOUND

    @pytest.mark.parametrize(
        ("path", "says"),
        [("gone", "gone is missing"), ("empty", "empty is empty"), ("folder", "folder holds nothing"), ("-n", "-n is missing")],
    )
    def test_what_lacks_is_ill_by_its_name(self, volume: Volume, path: str, says: str) -> None:
        volume.file("good")
        volume.file("empty", b"")
        volume.file("folder/empty", b"")
        assert health(volume.seen(Preset.FILES, "good", path)) == (Health.ILL, says)

    def test_a_link_out_of_the_volume_is_not_seen(self, volume: Volume) -> None:
        (volume.data / "link").symlink_to("/nowhere/at/all")
        assert volume.seen(Preset.FILES, "link").health is Health.UNSEEN

    @pytest.mark.parametrize(("link", "to", "path"), [
        ("hosts", "/etc/hosts", "hosts"), ("hosts", "../../bystander", "hosts"), ("etc", "/etc", "etc/hosts"),
        ("etc", "/etc", "etc"), ("one", "two", "one"),
    ])  # fmt: skip
    def test_what_the_image_has_behind_a_link_is_none_of_the_data(self, volume: Volume, link: str, to: str, path: str) -> None:
        (volume.root.parent / "bystander").write_text("not of the volume")
        (volume.data / "two").symlink_to("../../bystander")
        (volume.data / link).symlink_to(to)
        found = volume.seen(Preset.FILES, path)
        assert found.health is Health.UNSEEN, found
        assert path in found.detail

    @pytest.mark.parametrize("path", ["current", "current/app.db", "app.db"])
    def test_a_link_within_the_volume_is_followed(self, volume: Volume, path: str) -> None:
        volume.file("releases/5/app.db")
        (volume.data / "current").symlink_to("releases/5")
        (volume.data / "app.db").symlink_to("current/app.db")
        assert volume.seen(Preset.FILES, path).health is Health.SOUND


TOOLS = ["python3", pytest.param("sqlite3", marks=pytest.mark.skipif(SHELL is None, reason="no sqlite3 on PATH"))]


class TestSqlite:
    @pytest.fixture(params=TOOLS)
    def with_tool(self, volume: Volume, request: pytest.FixtureRequest) -> Volume:
        volume.programs = (request.param,)
        return volume

    def test_databases_are_found_and_sound(self, with_tool: Volume) -> None:
        a_database(with_tool.data / "notes.db")
        a_database(with_tool.data / "in" / "other file.sqlite")
        with_tool.file("text.db", b"not one, and nobody said that it is" * 9)
        found = with_tool.seen(Preset.SQLITE)
        assert found.health is Health.SOUND, found
        assert "notes.db" in found.detail and "2 in all" in found.detail

    def test_a_log_that_was_not_written_back_is_replayed(self, with_tool: Volume) -> None:
        a_database(with_tool.data / "live.db", log=True)
        assert (with_tool.data / "live.db-wal").exists()
        found = with_tool.seen(Preset.SQLITE, "live.db")
        assert found.health is Health.SOUND, found

    @pytest.mark.parametrize("how", ["index", "page", "cut", "text", "empty", "bare", "gone"])
    def test_what_is_broken_is_ill(self, with_tool: Volume, how: str) -> None:
        path = with_tool.data / "notes.db"
        a_database(path)
        whole = path.read_bytes()
        spoilt = {
            "page": whole[:4096] + b"\x7f" * 4096 + whole[8192:], "cut": whole[: len(whole) // 2], "text": b"text" * 500,
            "empty": b"", "index": whole.replace(b"note 17", b"note XX", 1),
        }  # fmt: skip
        if how == "gone":
            path.unlink()
        elif how == "bare":
            path.unlink()
            with sqlite3.connect(path) as made:
                made.execute("PRAGMA user_version = 7")
            made.close()
        else:
            path.write_bytes(spoilt[how])
        found = with_tool.seen(Preset.SQLITE, "notes.db")
        assert found.health is Health.ILL, (how, found)
        assert "notes.db" in found.detail

    def test_none_at_all_is_ill(self, with_tool: Volume) -> None:
        with_tool.file("notes.txt", b"n" * 500)
        assert health(with_tool.seen(Preset.SQLITE)) == (Health.ILL, "no SQLite database is in it")

    def test_one_that_is_broken_is_told_beside_a_good_one(self, with_tool: Volume) -> None:
        a_database(with_tool.data / "a.db")
        a_database(with_tool.data / "b.db")
        whole = (with_tool.data / "b.db").read_bytes()
        (with_tool.data / "b.db").write_bytes(whole[: len(whole) // 2])
        found = with_tool.seen(Preset.SQLITE)
        assert found.health is Health.ILL
        assert "b.db" in found.detail and "a.db" not in found.detail

    @pytest.mark.parametrize("left", [16, 60, 99])
    def test_one_of_which_little_is_left_is_told_beside_a_good_one(self, with_tool: Volume, left: int) -> None:
        a_database(with_tool.data / "a.db")
        with_tool.file("b.db", (with_tool.data / "a.db").read_bytes()[:left])
        found = with_tool.seen(Preset.SQLITE)
        assert found.health is Health.ILL, found
        assert "b.db" in found.detail

    def test_one_whose_name_cannot_be_told_is_not_passed_over(self, with_tool: Volume) -> None:
        a_database(with_tool.data / "a.db")
        shutil.copy(with_tool.data / "a.db", with_tool.data / "b\n.db")
        assert with_tool.seen(Preset.SQLITE).health is Health.UNSEEN

    def test_an_image_without_either_has_seen_nothing(self, volume: Volume) -> None:
        a_database(volume.data / "notes.db")
        volume.programs = ()
        assert volume.seen(Preset.SQLITE).health is Health.UNSEEN

    def test_one_that_cannot_be_written_to_is_not_called_broken(self, with_tool: Volume) -> None:
        """As where a pod's user may not write what it must replay: nothing is known of the data then."""
        a_database(with_tool.data / "live.db", log=True)
        tool = with_tool.programs[0]
        says = "echo 'Error: in prepare, unable to open database file (14)' >&2; exit 1"
        with_tool.fakes = {tool: says if tool == "sqlite3" else "[ \"$1\" = -c ] || echo 'unseen unable to open database file'"}
        with_tool.programs = ()
        assert with_tool.seen(Preset.SQLITE, "live.db").health is Health.UNSEEN


class TestHomeAssistant:
    def house(self, volume: Volume, at: str = "") -> None:
        for name in ("auth", "core.config_entries", "core.entity_registry"):
            volume.file(f"{at}.storage/{name}", json.dumps({"version": 1, "data": {}}).encode())
        volume.file(f"{at}.HA_VERSION", b"2026.11.1")
        volume.file(f"{at}configuration.yaml", b"default_config:\n")

    def test_a_whole_one_is_sound_and_says_what_was_not_looked_at(self, volume: Volume) -> None:
        self.house(volume)
        found = volume.seen(Preset.HOME_ASSISTANT)
        assert found.health is Health.SOUND, found
        assert "2026.11.1" in found.detail and "not looked at" in found.detail

    def test_with_its_recorder_in_a_folder(self, volume: Volume) -> None:
        self.house(volume, "config/")
        a_database(volume.data / "config" / "home-assistant_v2.db")
        found = volume.seen(Preset.HOME_ASSISTANT, "config")
        assert found.health is Health.SOUND, found
        assert found.detail.endswith("integrity_check says ok of its recorder")

    @pytest.mark.parametrize("gone", [".HA_VERSION", "configuration.yaml", ".storage/auth", ".storage/core.config_entries"])
    def test_what_is_missing_is_ill(self, volume: Volume, gone: str) -> None:
        self.house(volume)
        (volume.data / gone).unlink()
        assert health(volume.seen(Preset.HOME_ASSISTANT)) == (Health.ILL, f"{gone} is missing")

    @pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\x00" * 30])
    def test_what_is_no_json_of_its_own_is_ill(self, volume: Volume, content: bytes) -> None:
        self.house(volume)
        volume.file(".storage/core.entity_registry", content)
        says = ".storage/core.entity_registry is no JSON of Home Assistant's"
        assert health(volume.seen(Preset.HOME_ASSISTANT)) == (Health.ILL, says)

    def test_a_broken_recorder_is_ill(self, volume: Volume) -> None:
        self.house(volume)
        a_database(volume.data / "home-assistant_v2.db")
        whole = (volume.data / "home-assistant_v2.db").read_bytes()
        volume.file("home-assistant_v2.db", whole[: len(whole) // 2])
        found = volume.seen(Preset.HOME_ASSISTANT)
        assert found.health is Health.ILL
        assert "home-assistant_v2.db" in found.detail
