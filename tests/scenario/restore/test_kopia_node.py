"""`kopia-node`: a house whose data VolSync's kopia backs up is audited and built, and nothing moves them while they are held."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.verbs.dr import audit
from console.verbs.dr import restore as dr
from engine import errors
from engine.report import Outcome
from house.model import House, UnsupportedBackup
from recovery.lifting import to_release
from tests.builders import a_claim, an_app
from tests.console.modelled_doors import Desk
from tests.scenario.running import DATA

Printed = pytest.CaptureFixture[str]
PLACE = "kubernetes/apps/wiki.yaml:3"
WIKI = replace(a_claim("wiki"), engine="kopia", identity="wiki@apps:/data", declared_in=PLACE)
COUNTED = UnsupportedBackup("apps", "wiki", "kopia", PLACE)


def kopia_node(folder: Path, **changes: object) -> Desk:
    """One claim of kopia's and none of restic's, its backups in the store."""
    apps = (an_app("volsync", namespace="volsync-system", wait=True), an_app("wiki", "volsync-system/volsync"))
    given = {"claims": (), "kopia": (WIKI,), "unsupported": (COUNTED,), "flux_apps": apps, "name": "kopia-node", **changes}
    desk = Desk(folder, **given)
    desk.running.home.seed_backup(WIKI.mover_repository, DATA)
    return desk


def snapshots(desk: Desk) -> int:
    return len(desk.running.home.store.repositories[WIKI.mover_repository].snapshots)


def test_its_claim_is_held_while_the_cluster_is_built_and_is_not_backed_up(tmp_path: Path) -> None:
    desk = kopia_node(tmp_path)
    running = desk.running
    report = running.apply(running.bootstrap)
    assert report["hold.declare/apps/wiki"].outcome is Outcome.CHANGED
    assert report.exit_code == errors.EXIT_HELD
    running.clock.sleep(7200.0)
    assert snapshots(desk) == 1, "nothing empty was backed up"
    assert not running.home.look().claims.claim("apps", "wiki").alive, "and nothing was restored unseen"
    assert not [one for one in running.home.world.happenings if one.system == "volsync"]
    assert not running.plan(running.bootstrap).changes


def test_the_runbook_does_not_say_that_there_is_none(tmp_path: Path) -> None:
    (check,) = [c for c in kopia_node(tmp_path).running.bootstrap.checks if c.id == "preflight.engines"]
    assert check.by_hand().endswith("# no backup among them but of apps/wiki: those are held, and restored by hand")


def test_what_holds_it_is_said_and_how_it_is_let_go(tmp_path: Path, capsys: Printed) -> None:
    desk = kopia_node(tmp_path)
    desk.running.apply(desk.running.bootstrap)
    capsys.readouterr()
    assert dr.hold_of(desk.session("dr.hold")) == errors.EXIT_HELD
    said = " ".join(capsys.readouterr().out.split())
    assert "apps/wiki is held, and kopia backs it up" in said
    assert "invoke dr.restore --claims apps/wiki" in said
    assert "does not declare" not in said


def test_its_course_begins_with_the_hold_and_it_goes_on_once_let_go(tmp_path: Path) -> None:
    desk = kopia_node(tmp_path)
    running = desk.running
    running.apply(running.bootstrap)
    with pytest.raises(errors.PreflightRefused) as refused:
        dr.restore_course(desk.session("dr.restore"), "wiki", "")
    told = refused.value.evidence
    assert any("invoke dr.release apps/wiki --unproven --reason" in line for line in told)
    wanted = to_release(running.house, "apps/wiki", lambda: running.home.look().hold.record())
    assert wanted == WIKI


def test_all_of_it_is_audited(tmp_path: Path, capsys: Printed) -> None:
    assert audit.audit_house(kopia_node(tmp_path).session("dr.audit", json=True), lock=False) == errors.EXIT_OK
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert [(row["claim"], row["told"]) for row in result["audits"]] == [("apps/wiki", "ok (tree)")]


@pytest.mark.parametrize(
    "changes",
    [
        {"kopia": ()},
        {"kopia": (replace(WIKI, by="SnapshotPolicy"),)},
        {"unsupported": (COUNTED, UnsupportedBackup("apps", "films", "rclone", PLACE))},
    ],
    ids=["no rule opens it", "kopiur's", "another engine beside it"],
)
def test_what_cannot_be_held_stops_the_hand_over(tmp_path: Path, changes: dict[str, object]) -> None:
    running = kopia_node(tmp_path, **changes).running
    report = running.apply(running.bootstrap)
    assert report["preflight.engines"].outcome is Outcome.FAILED


def test_two_sources_of_one_claim_are_one_held_claim(tmp_path: Path) -> None:
    notes = a_claim("notes")
    beside = replace(a_claim("notes"), engine="kopia", identity="notes@apps:/data", origin="notes-kopia", source="notes-kopia")
    house: House = kopia_node(tmp_path, claims=(notes,), kopia=(beside, WIKI)).running.house
    assert house.held_kopia == (WIKI,)
