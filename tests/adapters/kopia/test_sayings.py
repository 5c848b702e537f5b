"""What kopia's failures mean: its words tell, trouble of this machine is no damage, and what nobody understands is never good."""

from __future__ import annotations

import pytest

from adapters.backups.results import Verdict
from adapters.kopia.sayings import meaning, words
from adapters.process.results import Finished

SAID = {
    "invalid repository password": Verdict.REFUSED,
    "open /r/kopia.repository.f: permission denied": Verdict.REFUSED,
    "dial tcp 10.0.0.5:9000: connect: connection refused": Verdict.UNREACHABLE,
    "dial tcp 10.0.0.5:9000: connect: network is unreachable": Verdict.UNREACHABLE,
    "dial tcp 10.0.0.5:9000: connect: host is unreachable": Verdict.UNREACHABLE,
    "read tcp 10.0.0.9:4->10.0.0.5:9000: read: connection timed out": Verdict.UNREACHABLE,
    "dial tcp: lookup s3.lan: Temporary failure in name resolution": Verdict.UNREACHABLE,
    "dial tcp 10.0.0.5:9000: connect: operation not permitted": Verdict.UNREACHABLE,
    "SlowDown: please try again": Verdict.UNREACHABLE,
    "AccessDenied: download cap exceeded": Verdict.UNREACHABLE,
    "repository not initialized in the provided storage": Verdict.MISSING,
    "unsupported format version: 9": Verdict.UNKNOWN,
    "unable to open content: invalid checksum": Verdict.UNREADABLE,
    "": Verdict.UNREADABLE,
    "something that nobody knows": Verdict.UNREADABLE,
    # Trouble of this machine.
    "write /tmp/blackstart-kopia-1/contents/x: no space left on device": Verdict.UNKNOWN,
    "error mapping index: cannot allocate memory": Verdict.UNKNOWN,
    "open /r/p1.f: too many open files": Verdict.UNKNOWN,
    "kopia: error: unknown long flag '--disable-repository-format-cache', try --help": Verdict.UNKNOWN,
}


def ended(said: str, code: int = 1) -> Finished:
    return Finished("kopia", code, b"", (said,), 0.1)


@pytest.mark.parametrize("said", list(SAID))
def test_words_have_their_meaning(said: str) -> None:
    verdict, told = meaning(ended(said))
    assert verdict is SAID[said]
    assert told and ("damaged" in told) is (verdict is Verdict.UNREADABLE)


@pytest.mark.parametrize("code", [-9, -15])
def test_a_kopia_that_somebody_ended_has_found_no_damage(code: int) -> None:
    verdict, told = meaning(ended("verifying contents", code))
    assert verdict is Verdict.UNKNOWN and f"signal {-code}" in told


def test_its_progress_and_advice_are_left_out() -> None:
    assert words(Finished("kopia", 1, b"", ("Listing blobs...", "NOTICE: x", " broken "), 0.1)) == ("broken",)
