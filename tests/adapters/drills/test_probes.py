"""The probes of restored data, run as a kubelet would on real files: what is wrong is *bad*, what could not be seen never is."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.drills.jobs import probe_job, probe_name
from adapters.drills.probes import SCRIPTS, ended_with, told
from adapters.drills.results import Examination, Examined, Health, Order
from adapters.volsync.results import Snapshot
from house.values.rehearsing import IMAGES, ClaimProbe, Preset
from tests.rehearsal.probing import a_database

BASICS = (
    "sh", "cat", "cut", "find", "grep", "head", "ls", "readlink", "sed", "tail", "tr", "wc",
)  # fmt: skip
SHELL = shutil.which("sqlite3")


@dataclass
class Volume:
    """A restored volume beside a pod's /tmp, and the programs that the image has."""

    root: Path
    programs: tuple[str, ...] = ("python3",)
    fakes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data, self.own, self.bin = (self.root / name for name in ("data", "own", "bin"))
        for folder in (self.data, self.own, self.bin):
            folder.mkdir(parents=True)

    def file(self, path: str, content: bytes = b"x") -> Path:
        at = self.data / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(content)
        return at

    def seen(self, preset: Preset, *paths: str) -> Examined:
        """What the probe says."""
        for name in BASICS:
            # What were written to a link would be written to the machine's own program.
            if not (self.bin / name).exists() and name not in self.fakes:
                (self.bin / name).symlink_to(shutil.which(name) or name)
        for name in self.programs:
            target = sys.executable if name == "python3" else shutil.which(name)
            (self.bin / name).exists() or (self.bin / name).symlink_to(target or name)
        for name, body in self.fakes.items():
            (self.bin / name).unlink(missing_ok=True)
            (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.bin / name).chmod(0o755)
        text = SCRIPTS[preset].replace("/tmp", str(self.own)).replace("cd /data", f"cd {self.data}")
        text = text.replace("/usr/lib/postgresql", "/no")
        env = {"PATH": str(self.bin), "PATHS": "\n".join(paths)}
        done = subprocess.run(["/bin/sh", "-c", text], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        assert done.stderr == "", done
        return told(done.stdout)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path / "pod")


def health(of: Examined) -> tuple[Health | None, str]:
    return of.health, of.detail


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=[preset.value for preset in SCRIPTS])
def test_scripts_are_shell_that_a_kubelet_leaves_alone(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert "$$" not in text
    assert "$(PATHS)" not in text


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


LOG = "000000010000000000000001"
CONTROL = f"""pg_control version number:            1300
Database cluster state:               in production
Latest checkpoint's REDO WAL file:    {LOG}"""

SAYS = f"cat << 'END'\n{CONTROL}\nEND"


# As whom it runs, the programs of a server, and one that says what it is asked: the real one is in test_postgres_start.py.
SERVER = {
    "id": "echo 1000", "rm": "", "chmod": "", "mkdir": "", "sleep": "", "env": 'shift; "$@"', "pg_dump": "",
    "ls": "echo 'd 2 1000 1000 4096 Nov 30 00:00 x'",
    "postgres": """echo ' 1: rolname = "owner"\t(typeid = 19, len = 64)'""",
    "psql": 'case "$*" in *datname*) echo app ;; *count*) echo 7 ;; *) echo 1 ;; esac',
}  # fmt: skip


class TestPostgres:
    def cluster(self, volume: Volume, at: str = "pgdata/", version: str = "15", says: str = SAYS) -> None:
        for name in ("global/pg_control", f"pg_wal/{LOG}", "base/1/1259"):
            volume.file(at + name)
        volume.file(f"{at}PG_VERSION", f"{version}\n".encode())
        own = 'if [ "$1" = --version ]; then echo "pg_controldata (PostgreSQL) 15.18 (Debian)"; exit; fi'
        volume.fakes = {"pg_controldata": f"{own}\n{says}", **SERVER}

    @pytest.mark.parametrize("paths", [(), ("pgdata",)])
    def test_a_whole_one_is_sound(self, volume: Volume, paths: tuple[str, ...]) -> None:
        self.cluster(volume)
        found = volume.seen(Preset.POSTGRES, *paths)
        told_ = "version 15, in production: it starts; read to the last row: 7 tables in 1 databases"
        assert health(found) == (Health.SOUND, told_)

    def test_one_at_the_volumes_root_is_found(self, volume: Volume) -> None:
        self.cluster(volume, "")
        assert volume.seen(Preset.POSTGRES).health is Health.SOUND

    @pytest.mark.parametrize("gone", ["PG_VERSION", "base/1/1259", f"pg_wal/{LOG}", "global/pg_control"])
    def test_what_is_missing_is_ill(self, volume: Volume, gone: str) -> None:
        self.cluster(volume)
        (volume.data / "pgdata" / gone).unlink()
        assert volume.seen(Preset.POSTGRES, "pgdata").health is Health.ILL

    def test_of_a_base_backup_the_log_that_its_label_names_must_be_there(self, volume: Volume) -> None:
        self.cluster(volume)
        volume.file("pgdata/backup_label", b"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n")
        assert volume.seen(Preset.POSTGRES).health is Health.ILL
        volume.file("pgdata/pg_wal/000000010000000000000002")
        assert volume.seen(Preset.POSTGRES).health is Health.SOUND

    @pytest.mark.parametrize(
        "says",
        [
            "echo 'WARNING: Calculated CRC checksum does not match value stored in file.'",
            "echo 'pg_controldata: error: could not read file \"./pg/global/pg_control\": read 100 of 296' >&2; exit 1",
        ],
    )
    def test_a_sum_or_a_size_that_does_not_fit_is_ill(self, volume: Volume, says: str) -> None:
        self.cluster(volume, says=says)
        assert volume.seen(Preset.POSTGRES).health is Health.ILL

    def test_another_version_than_the_images_has_shown_nothing(self, volume: Volume) -> None:
        self.cluster(volume, version="17")
        assert volume.seen(Preset.POSTGRES).health is Health.UNSEEN

    @pytest.mark.parametrize("says", ["exit 1", "echo something else"])
    def test_what_is_not_understood_has_shown_nothing(self, volume: Volume, says: str) -> None:
        self.cluster(volume, says=says)
        assert volume.seen(Preset.POSTGRES).health is Health.UNSEEN

    def test_two_of_them_must_be_named(self, volume: Volume) -> None:
        self.cluster(volume, "one/")
        self.cluster(volume, "two/")
        assert volume.seen(Preset.POSTGRES).health is Health.UNSEEN
        assert volume.seen(Preset.POSTGRES, "two").health is Health.SOUND

    def test_none_is_ill_and_no_program_is_nothing(self, volume: Volume) -> None:
        assert volume.seen(Preset.POSTGRES).health is Health.ILL
        self.cluster(volume)
        volume.fakes = {}
        assert volume.seen(Preset.POSTGRES).health is Health.UNSEEN

    @pytest.mark.parametrize(
        ("program", "body", "health_", "says"),
        [
            ("postgres", "echo 'XX000 PANIC:  could not locate a valid checkpoint record' >&2; exit 1", Health.ILL, "PANIC:"),
            ("postgres", "echo '53100 FATAL:  could not extend file: No space left' >&2; exit 1", Health.UNSEEN, "space"),
            ("postgres", "echo 'F0000 FATAL:  data directory has wrong ownership' >&2; exit 1", Health.UNSEEN, "ownership"),
            ("postgres", "echo 'killed' >&2; exit 137", Health.UNSEEN, "killed"),
            ("postgres", "exit 0", Health.UNSEEN, "does not start"),
            ("pg_dump", "exit 1", Health.UNSEEN, "the database app cannot be read to its end"),
            ("id", "echo 999", Health.UNSEEN, "it belongs to user 1000, and the pod is user 999"),
        ],
    )
    def test_what_its_start_shows(self, volume: Volume, program: str, body: str, health_: Health, says: str) -> None:
        self.cluster(volume)
        volume.fakes[program] = body
        found = volume.seen(Preset.POSTGRES)
        assert found.health is health_ and says in found.detail, found

    def test_a_tablespace_that_is_not_in_the_volume_is_not_started_without(self, volume: Volume) -> None:
        self.cluster(volume)
        (volume.data / "pgdata" / "pg_tblspc").mkdir()
        (volume.data / "pgdata" / "pg_tblspc" / "16400").symlink_to("/somewhere/else")
        found = volume.seen(Preset.POSTGRES)
        assert health(found) == (Health.UNSEEN, "the tablespace 16400 leads out of the volume")

    def test_one_of_a_version_whose_settings_are_others_has_shown_nothing(self, volume: Volume) -> None:
        self.cluster(volume, version="11")
        volume.fakes["pg_controldata"] = volume.fakes["pg_controldata"].replace("15.18", "11.22")
        assert volume.seen(Preset.POSTGRES).health is Health.UNSEEN


@pytest.mark.parametrize("log", ["", "p ok all\n", "end\n", "p fine all\nend\n", "p\nend\n"])
def test_a_log_that_broke_off_has_shown_nothing(log: str) -> None:
    assert told(log).health is Health.UNSEEN


@pytest.mark.parametrize(
    ("code", "reason", "health_"),
    [
        (0, "Completed", Health.SOUND), (1, "Error", Health.ILL), (2, "", Health.ILL), (125, "Error", Health.ILL),
        (126, "Error", Health.UNSEEN), (127, "Error", Health.UNSEEN), (128, "StartError", Health.UNSEEN),
        (137, "OOMKilled", Health.UNSEEN), (143, "Error", Health.UNSEEN), (1, "OOMKilled", Health.UNSEEN),
        (None, "", Health.UNSEEN),
    ],
)  # fmt: skip
def test_what_a_commands_end_means(code: int | None, reason: str, health_: Health) -> None:
    found = ended_with(code, reason, "one\ntwo\n")
    assert found.health is health_
    assert found.detail.endswith("one; two")


class TestJob:
    def of(self, probe: ClaimProbe) -> Examination:
        return Examination(Order("notes-back", "apps", "notes-dst", Snapshot("r", "s"), 5), probe)

    @pytest.mark.parametrize("preset", list(Preset))
    def test_its_pod_opens_no_store_gets_out_nowhere_and_has_no_token(self, preset: Preset) -> None:
        words = ("check",) if preset is Preset.COMMAND else ()
        port = 8080 if preset is Preset.HTTP else 0
        probe = ClaimProbe(preset, IMAGES.get(preset, "an/image:1"), command=words, limit_s=60.0, port=port)
        job = probe_job(self.of(probe), "mover:1", ({"runAsUser": 7}, {}))
        pod = job["spec"]["template"]
        container = pod["spec"]["containers"][0]
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container["envFrom"] == []
        assert "created-by" not in json.dumps(pod["metadata"]["labels"])
        assert pod["spec"]["securityContext"] == {"runAsUser": 7}
        assert job["spec"]["activeDeadlineSeconds"] == 60
        read_only = container["volumeMounts"][0].get("readOnly", False)
        assert read_only is (preset is Preset.FILES)

    def test_files_run_in_the_movers_own_image_and_a_command_as_it_is(self) -> None:
        files = probe_job(self.of(ClaimProbe(Preset.FILES)), "mover:1", ({}, {}))
        assert files["spec"]["template"]["spec"]["containers"][0]["image"] == "mover:1"
        command = probe_job(self.of(ClaimProbe(Preset.COMMAND, "mine:2", command=("a", "b c"))), "mover:1", ({}, {}))
        container = command["spec"]["template"]["spec"]["containers"][0]
        assert (container["image"], container["command"], container["env"]) == ("mine:2", ["a", "b c"], [])

    def test_another_question_is_another_job(self) -> None:
        asked = [
            ClaimProbe(Preset.FILES), ClaimProbe(Preset.FILES, paths=("a",)), ClaimProbe(Preset.FILES, paths=("a", "b")),
            ClaimProbe(Preset.SQLITE), ClaimProbe(Preset.SQLITE, "i"), ClaimProbe(Preset.COMMAND, "i", command=("a",)),
            *(ClaimProbe(Preset.HTTP, "i", port=80, page=page, at=at) for page, at in (("/", "/a"), ("/", "/b"), ("/c", "/a"))),
        ]  # fmt: skip
        assert len({probe_name(self.of(one)) for one in asked}) == len(asked)
