"""The lab's mover: what a restic mover pod of VolSync does, written from its observed behaviour. Real restic does the work.

A script of the standard library alone: `mover.py restore` or `mover.py [unlock] backup [prune]`, told by its environment.
Its oddities are kept on purpose: a restore that finds no repository makes one and succeeds without restoring anything.
"""

from __future__ import annotations

import datetime
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

# The image's own place for restic; the sandbox mounts it there.
RESTIC = "/.lab/restic"
_HOST = "volsync"
_NO_REPOSITORY = 10
_TIMED_OUT = 124
_NO_REPOSITORY_TEXT = "Is there a repository at the following location"
# What every way of not getting at a repository ends with, be it a lock or a wrong password.
_CANNOT_OPEN = 3


def main(actions: list[str]) -> int:
    """Do the actions in order; the first that fails ends the pod with its code."""
    began = time.monotonic()
    if authority := os.environ.get("CUSTOM_CA"):
        os.environ["RESTIC_CACERT"] = authority
    known = {"unlock": _unlock, "backup": _backup, "prune": _prune, "restore": _restore}
    if not actions or any(a not in known for a in actions):
        _say(f"ERROR: unknown action in {actions}")
        return 2
    for action in actions:
        _say(f"== {action} ==")
        if known[action]():
            break  # nothing to back up: no forget and no prune either
    _say(f"Restic completed in {round(time.monotonic() - began)}s")
    return 0


def _unlock() -> bool:
    _ensure_repository()
    _must("unlock")
    return False


def _backup() -> bool:
    data = _data()
    if not any(entry.name != "lost+found" for entry in data.iterdir()):
        _say("== Directory is empty skipping backup ==")
        return True
    _ensure_repository()
    _must("backup", "--host", _HOST, "--exclude", "lost+found", str(data))
    options = shlex.split(os.environ.get("FORGET_OPTIONS", "--keep-last 1"))
    _must("forget", "--host", _HOST, *options)
    return False


def _prune() -> bool:
    _must("prune")
    return False


def _restore() -> bool:
    _ensure_repository()
    chosen = choose(_snapshots())
    if chosen is None:
        _say("No eligible snapshots found")
        _say("== No data will be restored ==")
        return False
    _say(f"Selected restic snapshot with id: {chosen['id']}")
    options = shlex.split(os.environ.get("RESTORE_OPTIONS", ""))
    # The folder alone, for restic deletes nothing below a target of "/".
    _must("restore", f"{chosen['id']}:{_data()}", "--target", str(_data()), "--include-xattr", "user.*", *options)
    subprocess.run(["sync", "-f", str(_data())], check=False)
    return False


def _ensure_repository() -> None:
    """Read the repository's config; where there is none, make a repository and go on as if nothing had happened."""
    code, said = _check()
    if code == 0:
        return
    sys.stdout.write(said)
    if code == _NO_REPOSITORY or (code in (1, _TIMED_OUT) and _NO_REPOSITORY_TEXT in said):
        _say("=== Initialize Dir ===")
        _must("init")
        return
    _say(f"ERROR: failure checking the repository (restic ended with {code})")
    _end(_CANNOT_OPEN)


def _check() -> tuple[int, str]:
    limit_s = float(os.environ.get("LAB_REPOSITORY_CHECK_S", "60"))
    with subprocess.Popen(
        [RESTIC, "cat", "config"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as check:
        try:
            said, _ = check.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            check.terminate()  # restic then tells what it was waiting for, which SIGKILL would swallow
            said, _ = check.communicate()
            return _TIMED_OUT, said
        return check.returncode, said


def _snapshots() -> list[dict[str, Any]]:
    listed = subprocess.run(
        [RESTIC, "snapshots", "--json", "--path", str(_data())], stdout=subprocess.PIPE, text=True, check=False
    )
    if listed.returncode:
        _say("ERROR: failure listing the snapshots")
        _end(_CANNOT_OPEN)
    found: list[dict[str, Any]] = json.loads(listed.stdout or "[]") or []
    return found


def choose(snapshots: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Newest first, whole seconds, UTC: the newest that is not later than RESTORE_AS_OF, then SELECT_PREVIOUS further back."""
    ordered = sorted(snapshots, key=lambda s: _seconds(str(s["time"])), reverse=True)
    if limit := os.environ.get("RESTORE_AS_OF", ""):
        ordered = [s for s in ordered if _seconds(str(s["time"])) <= _seconds(limit)]
    back = int(os.environ.get("SELECT_PREVIOUS") or "0")
    return ordered[back] if back < len(ordered) else None


def _seconds(when: str) -> int:
    whole, _, fraction = when.partition(".")
    zone = fraction.lstrip("0123456789") if fraction else ""
    return int(datetime.datetime.fromisoformat(whole + zone).timestamp())


def _must(*arguments: str) -> None:
    """Run restic; end the pod with its code when it fails."""
    code = subprocess.run([RESTIC, *arguments], stderr=subprocess.STDOUT, check=False).returncode
    if code:
        _say(f"ERROR: restic {arguments[0]} ended with {code}")
        # A backup that could not read every file has saved what it could, and still counts as failed.
        _end(_CANNOT_OPEN if code in (11, 12) else code)


def _data() -> Path:
    return Path(os.environ.get("DATA_DIR", "/data"))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
