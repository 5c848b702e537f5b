"""For all tests: a skip that nobody would see is a failure, and whoever starts them may ignore Ctrl-C.

A part of them is chosen by its mark (`-m houses`): files that do not write it are not even read, which took seconds of each part.
"""

from __future__ import annotations

import gc
import shutil
import signal
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.secrets import register
from tests.houses.elsewhere import NO_HOUSE

MARKS = ("houses", "programs")


def pytest_configure(config: pytest.Config) -> None:
    """Hear SIGINT and SIGQUIT again where we were started deaf to them (a background job): what is interrupted here inherits it.
    A hang-up, which nohup keeps from us, is heard in those tests alone that send one."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage in what tests make alone: to walk through every module again and again was a tenth of the work."""
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file out that has no test with the mark that `-m` begins with."""
    mark = str(config.option.markexpr).partition(" ")[0]
    if mark in MARKS and collection_path.name.startswith("test_") and collection_path.is_file():
        return None if mark in marks_of(collection_path) else True
    return None


@cache
def marks_of(file: Path) -> frozenset[str]:
    """Which of the marks that make a part are written in a test file."""
    text = file.read_text(encoding="utf-8")
    return frozenset(mark for mark in MARKS if f"mark.{mark}" in text)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A mark from elsewhere than the test's file would keep the test out of every part, and `houses` alone put it into two."""
    marked = {mark.name for mark in item.iter_markers()}
    if marked & {"houses", "long"} and "programs" not in marked:
        raise pytest.UsageError(f"{item.nodeid}: what is marked `houses` or `long` is always `programs` as well")
    hidden = marked.intersection(MARKS) - marks_of(item.path)
    if hidden:
        raise pytest.UsageError(f"{item.nodeid} is marked {', '.join(hidden)}: write `pytest.mark.` and that in its own file")


@pytest.fixture
def hung_up() -> Iterator[None]:
    """For a test that sends SIGHUP, and for what it starts: it is heard also where we were started deaf to it (nohup)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(autouse=True)
def heard_as_before() -> Iterator[None]:
    """A test that leaves SIGPIPE to the system would end whichever test writes to a closed pipe next, and all that come after it
    with it: told of the test that did it, not of that one."""
    yield
    left = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    assert left is signal.SIG_IGN, "this test leaves SIGPIPE changed, as tasks.py does for --list and --help"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test has made secret masks no word of the next one: the register is the process's, and tests take everyday words."""
    needles = (register._plain, register._compact)
    known, before = set(register._known), [(dict(one._pieces), one._short) for one in needles]
    yield
    register._known = known
    for one, (pieces, short) in zip(needles, before, strict=True):
        one._pieces, one._short = pieces, short


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip of a test marked `programs` into a failure on a machine that could build the programs.

    Not of one marked `asked` as well: nobody was asked to build what that drives. Nor where a house is not here that is no part of
    this repository.
    """
    report = yield
    demanded = item.get_closest_marker("programs") and not item.get_closest_marker("asked") and shutil.which("go")
    if report.skipped and NO_HOUSE in str(report.longrepr):
        return report
    if report.skipped and not hasattr(report, "wasxfail") and demanded:
        report.outcome = "failed"
        report.longrepr = f"skipped, and Go is here: build the programs (invoke tools.build). {report.longrepr}"
    return report
