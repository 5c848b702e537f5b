"""A data directory of PostgreSQL as the probe reads it, behind programs that say what the test wants: what is *bad*, and what is
merely not seen. The real server is in test_postgres_start.py."""

from __future__ import annotations

import pytest

from adapters.drills.results import Health
from house.values.rehearsing import Preset
from tests.adapters.drills.volumes import Volume, health

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
        told_ = "version 15, in production: it starts; read to the last row, tables: 7, databases: 1"
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
            ("psql", SERVER["psql"].replace("echo 7", "echo 0"), Health.ILL, "it starts, and holds no table"),
            ("psql", SERVER["psql"].replace("echo 7", "exit 2"), Health.UNSEEN, "cannot be counted"),
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
