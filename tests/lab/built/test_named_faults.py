"""Each named fault of a running house turns exactly its own rows of the real `invoke cluster.verify` red, until it is lifted."""

from __future__ import annotations

import json

import pytest

from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl
from tests.lab.built.named import NAMED, Named, mended
from tests.lab.built.rows import red, red_rows
from tests.lab.built.shell import typed

pytestmark = [pytest.mark.programs, pytest.mark.houses]
LONG = ("vm-off", "charts-down", "git-down", "packs-lost", "host-clock-ahead")
"""Played by itself alone, when one asks for what is long: another of its kind is played each time."""


def test_a_trigger_whose_run_has_ended_keeps_its_schedule_off_and_the_hint_gives_it_back(bench: Bench) -> None:
    patch = ("patch", "replicationsource", "notes", "-n", "selfhosted", "--type=merge", "-p")
    kubectl(bench, *patch, '{"status":{"lastManualSync":"by-hand"}}', "--subresource=status")  # the hold lets no run end
    kubectl(bench, *patch, '{"spec":{"trigger":{"manual":"by-hand"}}}')
    found = bench.run("cluster.verify")
    assert list(red_rows(found)) == ["backup.schedules"]
    (row,) = [row for row in found.result["steps"] if row["id"] == "backup.schedules"]
    typed(bench, row["error"]["hint"])
    given_back = kubectl(bench, "get", "replicationsource", "notes", "-n", "selfhosted", "-o", "jsonpath={.spec.trigger}")
    assert list(json.loads(given_back)) == ["schedule"]  # that no row is red by it any more, the next test sees


TOGETHER = (
    ("delete secret", "delete validatingadmissionpolicy", "backup-half-uploaded"),
    ("etcd-frozen",),
    ("api-frozen",),
    ("host-down",),
    ("token-weak", "vm-changed", "config-changed", "git-ahead", "store-down"),
)
"""What is played each time: of those played together none waits for another. Nothing takes git-ahead back: it is the last."""


def test_every_named_fault_is_played() -> None:
    assert sorted((*LONG, *(name for names in TOGETHER for name in names))) == sorted(each.name for each in NAMED)


@pytest.mark.parametrize("names", [pytest.param(names, id=", ".join(names)) for names in TOGETHER])
def test_named_faults_turn_exactly_their_own_rows_red(bench: Bench, names: tuple[str, ...]) -> None:
    play(bench, [each for each in NAMED if each.name in names])


@pytest.mark.long
@pytest.mark.parametrize("named", [pytest.param(each, id=f"{each.name} {each.target}".strip()) for each in NAMED])
def test_a_named_fault_turns_exactly_its_own_rows_red(bench: Bench, named: Named) -> None:
    play(bench, [named])


def play(bench: Bench, faults: list[Named]) -> None:
    """Begin them, see what is red, and end them all, whatever was seen."""
    try:
        for each in faults:
            each.begin(bench)
        rows = red(bench)
    finally:
        for each in faults:
            if each.lift is not mended:
                each.end(bench)
        if any(each.lift is mended for each in faults):
            mended(bench)
    assert sorted(rows) == sorted(row for each in faults for row in each.red), rows
