"""The script of a restore: the restic that reads says what it reads, and what another repository brings counts for nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adapters.drills import script
from adapters.drills.jobs import restore_of
from adapters.drills.results import Phase, Restore, Trouble
from adapters.volsync.reader import Request
from adapters.volsync.results import Snapshot

RESTIC = """#!/bin/sh
case "$*" in
  *config*) touch {folder}/asked; {config} ;;
  *dry-run*) echo '{{"message_type":"summary"}}' ;;
  *) echo "$$" > {folder}/restoring; {restore} ;;
esac
"""
SAYS, SILENT = """echo '{"id": "ab"}'""", "echo 'wrong password' >&2; exit 12"
OPENS, OPENS_ANOTHER = (
    f"sleep 0.3; mkdir -p $RESTIC_CACHE_DIR/{name}; touch $RESTIC_CACHE_DIR/CACHEDIR.TAG; " for name in ("ab", "cc")
)
LONG = "exec sleep 300"


def restored(folder: Path, restore: str, config: str = "exit 9", patience: str = "60") -> Restore:
    """What the script says, with such a restic, of a repository that should be `ab`."""
    restic = folder / "restic"
    restic.write_text(RESTIC.format(folder=folder, config=config, restore=restore))
    restic.chmod(0o755)
    for made in ("data", "own/restic/0123"):  # an attempt before this one has left a cache of another
        (folder / made).mkdir(parents=True)
    text = script.RESTORE.replace("/tmp/", f"{folder}/own/").replace("cd /data", f"cd {folder}/data")
    told = {"RESTORED": "cd", "DAMAGE": "", "AT_ONCE": "2", "OPEN_S": patience, "PATH": f"{folder}:{os.environ['PATH']}"}
    environment = Request(against=Snapshot("ab", "cd")).environment() | told
    done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert not Path("/proc", (folder / "restoring").read_text().strip()).exists(), "it goes on"
    return restore_of(done.stdout)


@pytest.mark.parametrize("then", [LONG, "exit 0", "echo 'no matching ID found for prefix' >&2; exit 1"])
def test_what_another_repository_brings_is_ended_and_told_as_that(tmp_path: Path, then: str) -> None:
    found = restored(tmp_path, OPENS_ANOTHER + then)
    assert (found.phase, found.trouble, found.detail) == (Phase.FAILED, Trouble.OTHER_REPOSITORY, "it opens cc")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("restore", "phase", "trouble"), [
    (OPENS + "sleep 0.4", Phase.DONE, None), (OPENS + "exit 0", Phase.DONE, None),
    (OPENS + "echo 'no matching ID found for prefix' >&2; exit 1", Phase.FAILED, Trouble.NO_SNAPSHOT),
    ("sleep 0.4; echo 'wrong password' >&2; exit 12", Phase.FAILED, Trouble.WRONG_PASSWORD),
    ("exit 10", Phase.FAILED, Trouble.NO_REPOSITORY),
])  # fmt: skip
def test_how_it_ended_is_told(tmp_path: Path, restore: str, phase: Phase, trouble: Trouble | None) -> None:
    found = restored(tmp_path, restore)
    assert (found.phase, found.trouble) == (phase, trouble)
    assert not (tmp_path / "asked").exists()


def test_one_that_opens_nothing_is_not_waited_for(tmp_path: Path) -> None:
    found = restored(tmp_path, "echo 'Stat(<config/>): connection refused, retrying' >&2; " + LONG, patience="1")
    assert (found.phase, found.trouble) == (Phase.FAILED, Trouble.UNREACHABLE)
    assert "connection refused" in found.detail


@pytest.mark.parametrize(("config", "phase", "trouble"), [
    (SAYS, Phase.DONE, None), ("""echo '{"id": "cc"}'""", Phase.FAILED, Trouble.OTHER_REPOSITORY),
    (SILENT, Phase.FAILED, Trouble.WRONG_PASSWORD), ("exit 0", Phase.FAILED, Trouble.DAMAGED),
])  # fmt: skip
def test_of_one_that_has_left_no_cache_the_repository_is_asked(
    tmp_path: Path, config: str, phase: Phase, trouble: Trouble | None
) -> None:
    for number, restore in enumerate(("exit 0", "echo 'unable to open cache: mkdir /tmp/restic: no space left' >&2; sleep 1.5")):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = restored(folder, restore, config, patience="1")
        assert (found.phase, found.trouble) == (phase, trouble)
        assert (folder / "asked").exists()
