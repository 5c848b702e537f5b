"""What the disk of this machine says no to is an answer with its words, wherever it comes out; what nobody foresaw stays a bug."""

from __future__ import annotations

import errno
import os
import socket

import pytest
import requests

from engine.errors import DiskRefused
from engine.files.disk import own_disk, refused
from engine.graph import Graph
from engine.plan import Planned, plan
from engine.probe import Probe
from engine.report import Report
from engine.step import Notes
from engine.verify import verify
from tests.engine.toys import Bench, Shelf, a_check, a_step, answers, state


@pytest.mark.parametrize(("code", "named", "hint"), [
    (errno.ENOSPC, "", "free space"), (errno.EDQUOT, "/s/x", "free space"), (errno.EFBIG, "", "free space"),
    (errno.EROFS, "/s/x", "dmesg"), (errno.EIO, "", "dmesg"), (errno.ENOTDIR, "/s/x", "see what lies there"),
    (errno.EISDIR, "/s/x", "see what lies there"), (errno.EACCES, "/s/x", "see what lies there"),
    (errno.EMFILE, "/s/x", "see what"),
])  # fmt: skip
def test_a_disk_s_no_is_told_in_its_own_words(code: int, named: str, hint: str) -> None:
    error = OSError(code, os.strerror(code), named) if named else OSError(code, os.strerror(code))
    with pytest.raises(DiskRefused) as caught, own_disk():
        raise error
    assert caught.value.what == f"the disk of this machine says no: {os.strerror(code)}"
    assert caught.value.evidence == ((named,) if named else ()) and hint in caught.value.hint and caught.value.exit_code == 30


def test_both_names_of_a_move_are_told() -> None:
    told = refused(OSError(errno.EISDIR, "Is a directory", "/s/.x.part", None, "/s/x"))
    assert told is not None and told.evidence == ("/s/.x.part", "/s/x")


@pytest.mark.parametrize("error", [
    ConnectionRefusedError(errno.ECONNREFUSED, "refused"), TimeoutError("late"), socket.gaierror(-2, "no such name"),
    PermissionError(errno.EACCES, "a socket's"), FileNotFoundError(errno.ENOENT, "gone", "/s/x"), OSError("text alone"),
    requests.ConnectionError("down"), OSError(errno.EMFILE, "a socket's"),
])  # fmt: skip
def test_what_is_no_disk_s_stays_what_it_was(error: OSError) -> None:
    assert refused(error) is None
    with pytest.raises(type(error)) as caught, own_disk():
        raise error
    assert caught.value is error


def hint_of(report: Report) -> str:
    error = report["toy.put/a"].error
    return error.hint if error is not None else ""


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_act_whose_disk_is_full_fails_alone_and_is_looked_at_again(bench: Bench) -> None:
    """What it did to the house before that nobody knows: its begin stays open."""

    def acts(shelf: Shelf, _: Probe, __: Notes) -> None:
        shelf.done.append("half")
        raise FULL

    report = bench.run(a_step("a", acts=acts), a_step("b"))
    assert report.bug is None and report["toy.put/b"].done and report.exit_code == 30
    assert "No space left on device" in report["toy.put/a"].detail and "free space" in hint_of(report)
    assert "toy.put/a" in state(bench).in_flight
    assert bench.run(a_step("a"), a_step("b")).converged


def test_a_look_whose_disk_is_full_is_no_bug_in_a_run_a_plan_or_a_verify(bench: Bench) -> None:
    items = (a_step("a", looks=answers(FULL)), a_check("c", answers(FULL)), a_step("b"))
    report = bench.run(*items)
    assert report.bug is None and report["toy.put/b"].done
    assert "No space left on device" in report["toy.put/a"].detail and "toy.put/a" not in state(bench).in_flight
    (line, *_) = plan(Graph(items), bench.shelf).lines
    assert (line.verdict, line.hint) == (Planned.REFUSED, hint_of(report))
    assert verify(Graph(items), bench.shelf).exit_code in (3, 30)
