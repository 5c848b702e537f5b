"""Waiting for a Proxmox task: what ended is told as it ended, and what goes on is never told as over."""

from __future__ import annotations

from typing import cast

import pytest

from adapters.ports import Proxmox
from adapters.proxmox.results import TaskRef, TaskStatus
from cluster.machines.vms import await_task
from engine.errors import BlackstartError, PermanentError, StillChanging, TransientError
from lab.world.clock import VirtualClock

REF = TaskRef("UPID:pve-1:00000001:00000002:00000003:download:talos:lab@pve:", "pve-1")


class OneTask:
    """A Proxmox with one task, in the state that it was made with."""

    def __init__(self, status: TaskStatus) -> None:
        self.status = status

    def task(self, ref: TaskRef) -> TaskStatus:
        assert ref == REF
        return self.status


class Noted(dict[str, str]):
    """Notes in the hand."""

    def put(self, key: str, value: str) -> None:
        self[key] = value


def awaited(status: TaskStatus, notes: Noted) -> TaskStatus:
    return await_task(cast("Proxmox", OneTask(status)), VirtualClock(), notes, REF, 60.0)


def test_a_task_that_still_runs_at_the_limit_is_in_flight_and_names_itself() -> None:
    notes = Noted()
    with pytest.raises(StillChanging) as caught:
        awaited(TaskStatus(REF, running=True, ok=False, exit_status="", log_tail=("transferred 12 of 80 MiB",)), notes)
    assert caught.value.evidence == (REF.upid, "transferred 12 of 80 MiB") and notes == {"task": REF.upid}


def test_a_task_that_failed_is_a_no_with_its_log() -> None:
    with pytest.raises(PermanentError) as caught:
        awaited(TaskStatus(REF, running=False, ok=False, exit_status="checksum mismatch", log_tail=("sha256",)), Noted())
    assert "checksum mismatch" in caught.value.what and caught.value.evidence == (REF.upid, "sha256")


@pytest.mark.parametrize(
    "words",
    [
        "can't lock file '/var/lock/qemu-server/lock-8001.conf' - got timeout", "VM is locked (backup)",
        "unable to open file '/etc/pve/nodes/pve-1/qemu-server/8001.conf.tmp.221' - Permission denied",
        "cfs-lock 'storage-tank' error: no quorum!", "cfs-lock 'storage-tank' error: got lock request timeout",
        "VM quit/powerdown failed - got timeout", "download failed: wget: unable to resolve host address 'factory.invalid'",
        "download failed: Connecting to 192.0.2.7:443... failed: Connection refused.",
    ],
)  # fmt: skip
def test_a_task_that_somebody_else_or_a_lost_quorum_ended_may_be_asked_for_again(words: str) -> None:
    with pytest.raises(TransientError, match="task ended with") as caught:
        awaited(TaskStatus(REF, running=False, ok=False, exit_status=words), Noted())
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("2026-11-29 01:09:09 ERROR 404: File not found.", PermanentError),
        ("2026-11-29 01:09:09 ERROR 503: Service Unavailable.", TransientError),
        ("2026-11-29 01:09:09 ERROR 429: Too Many Requests.", TransientError),
    ],
)
def test_why_a_download_failed_is_read_in_its_log(line: str, kind: type[BlackstartError]) -> None:
    status = TaskStatus(REF, running=False, ok=False, exit_status="download failed: exit code 8", log_tail=(line, "TASK ERROR"))
    with pytest.raises(kind) as caught:
        awaited(status, Noted())
    assert line.partition("ERROR ")[2].rstrip(".") in caught.value.what


def test_a_task_that_ended_well_is_given_back() -> None:
    notes = Noted()
    assert awaited(TaskStatus(REF, running=False, ok=True, exit_status="OK"), notes).ok
    assert notes == {"task": REF.upid}


@pytest.mark.parametrize(
    ("log", "noted"),
    [
        (("creating VM", "WARN: iothread is ignored", "TASK WARNINGS: 1"), "iothread is ignored"),
        (("creating VM",), "WARNINGS: 1"),
    ],
)
def test_what_a_task_warned_of_is_noted_for_a_person_to_see(log: tuple[str, ...], noted: str) -> None:
    notes = Noted()
    assert awaited(TaskStatus(REF, running=False, ok=True, exit_status="WARNINGS: 1", log_tail=log), notes).ok
    assert notes["warning"] == noted
