"""Findings make one answer: the heaviest decides, every one is shown, and nothing looked at is never fine."""

from __future__ import annotations

import pytest

from cluster.storage.findings import Finding, Weight, fine, moment, probe_of, worst
from engine.probe import Condition

DOWN = Finding("OSDs", Weight.BLOCKS, "2 of 3 are down", "OSD_DOWN", 1_800_000_000.0, "start them", "ceph osd tree")
NOTE = Finding("flags", Weight.NOTED, "noout is set", "OSDMAP_FLAGS", hint="take it off when the work is done")
DARK = Finding("pool tank", Weight.UNKNOWN, "it did not answer", hint="look at its host")


@pytest.mark.parametrize(
    ("findings", "condition", "says"),
    [
        ((fine("OSDs", "3 up"), fine("pools", "2")), Condition.SATISFIED, "OSDs: 3 up; pools: 2"),
        ((fine("OSDs", "3 up"), NOTE), Condition.SATISFIED, "flags: noout is set (OSDMAP_FLAGS)"),
        ((NOTE, DARK), Condition.UNKNOWN, "pool tank: it did not answer"),
        ((NOTE, DARK, DOWN), Condition.DRIFTED, "OSDs: 2 of 3 are down (OSD_DOWN), since 2027-01-15T08:00Z"),
        ((), Condition.UNKNOWN, "nothing of it was looked at"),
    ],
)
def test_the_heaviest_finding_decides(findings: tuple[Finding, ...], condition: Condition, says: str) -> None:
    probe = probe_of(findings)
    assert (probe.condition, probe.detail) == (condition, says)


def test_every_finding_is_evidence_and_the_heaviest_comes_first() -> None:
    probe = probe_of((fine("mons", "3"), NOTE, DARK, DOWN))
    assert probe.evidence == (DOWN.told, DARK.told, NOTE.told, "mons: 3")
    assert probe.hint == "start them; ceph osd tree"


def test_findings_of_one_weight_are_counted_and_their_hints_are_said_once() -> None:
    probe = probe_of((DOWN, Finding("PGs", Weight.BLOCKS, "9 inactive", hint="start them"), NOTE))
    assert probe.detail == f"{DOWN.told}, and 1 more finding like it"
    assert probe.hint == "start them; ceph osd tree"


def test_of_nothing_nothing_is_known() -> None:
    assert worst(()) is Weight.UNKNOWN
    assert worst((NOTE, fine("a", "b"))) is Weight.NOTED


def test_a_time_that_no_calendar_has_is_told_and_does_not_raise() -> None:
    assert moment(1e30) == "1e+30"
    assert moment(float("nan")) == "nan"
