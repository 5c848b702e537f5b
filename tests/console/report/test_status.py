"""What counts as proven, since when, and what does not: from what is remembered alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster.backups.proofs import PROOF_NOTE, Kind, Proof, newest, proof_of
from console.report.keeping import keep
from console.report.proven import State, remembered, standings
from console.verbs.dr.status import status_of
from engine.errors import EXIT_DRIFT, EXIT_OK
from engine.journal import open_journal
from engine.sealed.entries import Note
from house.files import yamlfile
from house.known.lock import LockedClaim, lock_path, write_lock
from house.model import House
from house.values.afterwards import Evidence
from rehearsal.outcome import SCHEMA, ClaimOutcome, Control, DrillOutcome, DrillVerdict
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.console.report.test_drills import DRILL
from tests.databases import a_database
from tests.scenario.restore.test_restore_databases import built, fine

DAY = 86400.0
PROOF = Proof(Kind.CLAIM, "apps/notes", "179d45ce", "ea55a133", "2025-06-15T14:06:40Z", "every byte of 2 files", "c890fd", 2)
POINT = 1_749_996_400.0
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def house(desk: Desk) -> House:
    """One claim, nothing proven."""
    return desk.running.house


def noted(house: House, *values: str, at: float = POINT + DAY, run: str = "run-1") -> None:
    """The journal says so."""
    with open_journal(house.state_dir, lineage=house.id, run=run, now=lambda: at) as journal:
        journal.append(*(Note("recovery.prove/apps/notes", PROOF_NOTE, value) for value in values))


def drilled(house: House, outcome: DrillOutcome, word: str = "") -> None:
    """A drill whose evidence is kept."""
    folder = house.state_dir / "runs" / outcome.run
    folder.mkdir(parents=True)
    word = word or outcome.verdict.value
    verdict = {"word": word, "tone": "good", "sentence": "", "exit_code": 0}
    keep(folder, {
        "schema": "blackstart.evidence/1", "verb": "dr.rehearse", "started": "2025-06-15T14:06:40Z", "seconds": 1.0,
        "verdict": verdict, "drill": {"schema": SCHEMA, **json.loads(outcome.to_json())},
    })  # fmt: skip


def state(house: House, now: float, known: dict[str, str] | None = None) -> State:
    (one,) = standings(house, remembered(house, known or {}, now), now)
    return one.state


def test_a_proof_is_read_as_it_was_noted_and_anything_else_is_none() -> None:
    assert proof_of(PROOF.note()) == PROOF
    note = PROOF.note()
    changed = (("claim", "volume"), ("2}", '"2"}'), ('"c890fd"', "5"), ("}", ',"more":1}'), ("}", ""))
    for other in ("", "•••", "[]", "{}", *(note.replace(before, after, 1) for before, after in changed)):
        assert proof_of(other) is None


def test_what_was_never_proven_is_said_to_be_so_and_is_no_success(desk: Desk, house: House, capsys: Printed) -> None:
    assert state(house, POINT) is State.NEVER
    assert status_of(desk.session("dr.status")) == EXIT_DRIFT
    printed = capsys.readouterr().out
    assert "never proven" in printed
    assert "[simulated]" in printed


def test_a_restore_proves_the_claim_and_a_month_later_it_is_due(held_desk: Desk, house: House) -> None:
    assert held_desk.running.apply(held_desk.running.restore).exit_code == 0
    now = held_desk.running.clock.now()
    memory = remembered(house, {}, now)
    (one,) = standings(house, memory, now)
    assert (one.state, one.kind, one.key, one.run) == (State.PROVEN, Kind.CLAIM, "apps/notes", "run-2")
    assert one.at is not None and one.point is not None and one.due == one.at + house.evidence.prove_every
    assert 0 <= now - one.at < 60 < now - one.point
    assert one.depth.startswith("every byte of 2 files")
    assert standings(house, memory, one.due - 1)[0].state is State.PROVEN
    assert standings(house, memory, one.due)[0].state is State.DUE
    assert standings(replace(house, evidence=Evidence(prove_every=0.0)), memory, now + 1e9)[0].state is State.PROVEN


def test_the_newest_restore_point_counts_and_of_one_point_the_later_proof(house: House) -> None:
    noted(house, PROOF.note(), at=POINT + 9 * DAY)
    noted(house, replace(PROOF, point="2024-01-01T00:00:00Z", snapshot_id="older").note(), at=POINT + 20 * DAY, run="run-2")
    noted(house, PROOF.note(), at=POINT + 10 * DAY, run="run-3")
    found = newest(remembered(house, {}, POINT + 30 * DAY).found, Kind.CLAIM, "apps/notes")
    assert found is not None and (found.run, found.at) == ("run-3", POINT + 10 * DAY)


def test_a_proof_of_another_repository_or_that_cannot_be_read_does_not_count(house: House) -> None:
    noted(house, PROOF.note(), "•••")
    memory = remembered(house, {"apps/notes": "another-id"}, POINT + 9 * DAY)
    assert memory.found == ()
    assert len(memory.not_counted) == 2
    assert state(house, POINT + DAY, {"apps/notes": PROOF.repository_id}) is State.PROVEN


def passing(**changes: object) -> DrillOutcome:
    """A drill that passed."""
    claim = ClaimOutcome("apps/notes", DrillVerdict.PASS, "", "ea55a133", POINT, 1, 2, ("bytes",), ("times",))
    good = replace(DRILL, verdict=DrillVerdict.PASS, reasons=(), claims=(claim,), control=Control("byte flipped", True, "content"))
    return replace(good, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("changes", "simulated", "wanted"),
    [
        ({}, True, State.PROVEN),
        ({"simulated": False}, False, State.PROVEN),
        ({}, False, State.NEVER),  # the lab's drill says nothing of a real house
        ({"verdict": DrillVerdict.UNVERIFIED}, True, State.NEVER),
        ({"verdict": DrillVerdict.FAIL}, True, State.PROVEN),  # by another claim
        ({"control": Control("byte flipped", False, "PASS")}, True, State.NEVER),
        ({"control": Control()}, True, State.NEVER),
        ({"claims": ()}, True, State.NEVER),
    ],
)
def test_which_drill_proves_a_claim(house: House, changes: dict[str, object], simulated: bool, wanted: State) -> None:
    house = replace(house, simulated=simulated)
    drilled(house, passing(**changes))
    assert state(house, 1_750_000_100.0) is wanted


def test_a_drill_that_was_cut_off_or_cannot_be_read_proves_nothing(house: House) -> None:
    drilled(house, passing(), word="interrupted")
    assert state(house, POINT) is State.NEVER
    path = house.state_dir / "runs" / "run-1" / "evidence.json"
    path.write_text(path.read_text().replace('"interrupted"', '"PASS"').replace('"fence"', '"fences"'))
    assert remembered(house, {}, POINT + DAY).not_counted == ("the drill of run run-1 cannot be read",)


def test_all_proven_ends_with_0_and_writes_metrics_and_rules(
    desk: Desk, house: House, tmp_path: Path, capsys: Printed
) -> None:
    session = desk.session("dr.status", json=True)
    noted(house, PROOF.note(), at=session.clock.now() - 60)
    write_lock(lock_path(house), [LockedClaim("apps/notes", PROOF.repository_id, 1, 1, POINT)])
    metrics, alerts = tmp_path / "status.prom", tmp_path / "alerts.yaml"
    assert status_of(session, str(metrics), str(alerts)) == EXIT_OK
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["outcome"], result["simulated"], result["standings"][0]["state"]) == ("proven", True, "proven")
    families = {one.name: one for one in text_string_to_metric_families(metrics.read_text())}
    labels = {"house": "four-nodes", "simulated": "true", "kind": "claim", "key": "apps/notes"}
    assert [(s.labels, s.value) for s in families["blackstart_proof_never"].samples] == [(labels, 0)]
    assert families["blackstart_proof_point_timestamp_seconds"].samples[0].value == POINT
    (rules,) = yamlfile.load(alerts, "alerts.yaml")
    told = [rule for group in rules.value["groups"] for rule in group["rules"]]
    assert len(told) == 4
    used = {name for rule in told for name in re.findall(r"blackstart_\w+", rule["expr"])}
    assert used <= set(families)


def test_what_was_never_proven_has_no_time_in_the_metrics(desk: Desk, tmp_path: Path, capsys: Printed) -> None:
    desk.running.house = replace(desk.running.house, claims=(*desk.running.house.claims, a_claim(claim="second")))
    noted(desk.running.house, PROOF.note())
    assert status_of(desk.session("dr.status"), str(tmp_path / "m")) == EXIT_DRIFT
    families = {one.name: one for one in text_string_to_metric_families((tmp_path / "m").read_text())}
    assert {s.labels["key"]: s.value for s in families["blackstart_proof_never"].samples} == {"apps/notes": 0, "apps/second": 1}
    assert [s.labels["key"] for s in families["blackstart_proof_timestamp_seconds"].samples] == ["apps/notes"]
    lines = capsys.readouterr().out.splitlines()
    assert "apps/second" in lines[1], "what was never proven stands first"


def test_a_database_that_came_back_is_proven_too(tmp_path: Path) -> None:
    restored = built(tmp_path, a_database(recovers=True))
    fine(restored.apply(restored.back()))
    house = replace(restored.house, state_dir=restored.folder)
    one, claim = reversed(standings(house, remembered(house, {}, restored.clock.now()), restored.clock.now()))
    assert (one.kind, one.key, one.state, claim.state) == (Kind.DATABASE, "apps/pg", State.PROVEN, State.NEVER)
    assert one.point is not None and abs(one.point - restored.entry.point.time) < 1
    assert one.depth.startswith("timeline 1 up to")
