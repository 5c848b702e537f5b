"""dr.plan, dr.restore and dr.hold with a database: named, planned with what its consent names, made, and listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.ending import guarded
from console.verbs.dr import restore as dr
from engine import errors
from rehearsal.outcome import Forecast
from tests.console.modelled_doors import Desk
from tests.databases import KEY, OLD, a_database, a_house_with, an_archive

ONE = a_database(recovers=False)
NAME = "database:apps/pg"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    house = a_house_with(ONE)
    changes = {name: getattr(house, name) for name in ("databases", "restorable", "archives", "flux_apps")}
    made = Desk(tmp_path, **changes)
    made.running.home.store.databases[OLD] = an_archive(made.running.clock.now())
    made.running.apply(made.running.bootstrap)
    return made


def restored(desk: Desk) -> int:
    def body() -> int:
        session = desk.session("dr.restore", json=True)
        return session.apply(dr.restore_course(session, NAME, ""))

    return guarded("dr.restore", True, body)


def test_by_name_it_is_pinned_then_then_made_by_consent(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert [step.id for step in dr.restore_course(desk.session("dr.plan"), NAME, "").steps] == [
        f"dr.database-{verb}/apps/pg" for verb in ("pin", "restore", "prove")
    ]
    assert restored(desk) == errors.ApprovalMissing.exit_code
    assert KEY not in desk.running.home.kube.objects().clusters
    shown = capsys.readouterr().out
    assert f"read from {OLD}" in shown
    # By the house's own clock: a session's is the machine's, and the operator takes its time.
    back = dr.restore_course(desk.session("dr.restore"), NAME, "")
    assert desk.running.apply(back, desk.running.consent(back)).exit_code == errors.EXIT_HELD
    assert desk.running.home.kube.objects().clusters[KEY].rows == ("row-1", "row-2", "row-3")
    capsys.readouterr()
    dr.hold_of(desk.session("dr.hold"))
    assert f"database apps/pg: proven, from {OLD}; timeline 1 up to 0/7801028" in capsys.readouterr().out
    dr.hold_of(desk.session("dr.hold", json=True))
    (row,) = json.loads(capsys.readouterr().out)["result"]["databases"]
    assert (row["database"], row["state"]) == ("apps/pg", "proven")


def test_of_a_database_alone_nothing_is_forecast(desk: Desk) -> None:
    """No drill measures one: what is told of all claims would be told of none that was named."""
    session = desk.session("dr.plan")
    assert dr.forecast(session, NAME) is None
    assert dr.forecast(session, f"{NAME},apps/notes") == Forecast(None, 0, ("apps/notes",))


def test_without_a_name_what_is_gone_is_among_all_that_is_held(desk: Desk) -> None:
    ids = {step.id for step in dr.restore_course(desk.session("dr.restore"), "", "").steps}
    assert {"dr.database-pin/apps/pg", "recovery.pin/apps/notes"} <= ids


def test_a_claim_alone_touches_no_database(desk: Desk) -> None:
    ids = {step.id for step in dr.restore_course(desk.session("dr.restore"), "notes", "").steps}
    assert not [one for one in ids if one.startswith("dr.database")]
