"""The script of a restore: which repository it is, is asked beside it, and what another one brings counts for nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adapters.drills import script
from adapters.drills.jobs import restore_of
from adapters.drills.results import Phase, Trouble
from adapters.volsync.reader import Request
from adapters.volsync.results import Snapshot

RESTIC = """#!/bin/sh
case "$*" in
  *config*) sleep 0.2; {config} ;;
  *dry-run*) echo '{{"message_type":"summary"}}' ;;
  *) echo "$$" > {folder}/restoring; {restore} ;;
esac
"""
SAYS, SILENT, LONG = """echo '{"id": "ab"}'""", "echo 'wrong password' >&2; exit 12", "exec sleep 300"


def restored(folder: Path, config: str, restore: str, at_once: str) -> str:
    """What the script prints, with such a restic."""
    restic = folder / "restic"
    restic.write_text(RESTIC.format(folder=folder, config=config, restore=restore))
    restic.chmod(0o755)
    (folder / "data").mkdir()
    (folder / "own").mkdir()
    text = script.RESTORE.replace("/tmp/", f"{folder}/own/").replace("cd /data", f"cd {folder}/data")
    told = Request(against=Snapshot("ab", "cd")).environment() | {"RESTORED": "cd", "DAMAGE": "", "AT_ONCE": at_once}
    environment = told | {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.mark.parametrize("at_once", ["1", "2"])
@pytest.mark.parametrize(
    ("config", "trouble"), [("""echo '{"id": "cc"}'""", Trouble.OTHER_REPOSITORY), (SILENT, Trouble.WRONG_PASSWORD)]
)
def test_a_restore_out_of_what_is_not_the_repository_is_ended_and_told_as_that(
    tmp_path: Path, config: str, trouble: Trouble, at_once: str
) -> None:
    found = restore_of(restored(tmp_path, config, LONG, at_once))
    assert (found.phase, found.trouble) == (Phase.FAILED, trouble)
    begun = tmp_path / "restoring"
    assert begun.exists() is (at_once == "2")
    assert not begun.exists() or not Path("/proc", begun.read_text().strip()).exists()


@pytest.mark.parametrize("at_once", ["1", "2"])
@pytest.mark.parametrize(("restore", "phase", "trouble"), [
    ("sleep 0.4", Phase.DONE, None), ("exit 0", Phase.DONE, None),
    ("echo 'no matching ID found for prefix' >&2; exit 1", Phase.FAILED, Trouble.NO_SNAPSHOT),
    ("sleep 0.4; echo 'wrong password' >&2; exit 12", Phase.FAILED, Trouble.WRONG_PASSWORD),
])  # fmt: skip
def test_how_it_ended_is_told_whichever_ends_first(
    tmp_path: Path, restore: str, phase: Phase, trouble: Trouble | None, at_once: str
) -> None:
    found = restore_of(restored(tmp_path, SAYS, restore, at_once))
    assert (found.phase, found.trouble) == (phase, trouble)
