"""Waiting for a Proxmox task: what ended is told as it ended, and what goes on is never told as over."""

from __future__ import annotations

from typing import cast

import pytest

from adapters.ports import Proxmox
from adapters.proxmox.results import TaskRef, TaskStatus
from cluster.vms import await_task
from engine.errors import PermanentError, StillChanging
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
