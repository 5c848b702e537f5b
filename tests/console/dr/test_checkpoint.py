"""dr.checkpoint: a plan that names what stops, the act that ends with "safe to wipe", and what it writes down."""

from __future__ import annotations

import pytest

from console.verbs.dr import checkpoint
from console.verbs.dr.audit import Wanted
from engine import errors
from house.known.inventory import inventory_path
from house.known.lock import lock_path, read_lock
from lab.world.store import a_file
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line

KEY = ("apps", "notes")


@pytest.fixture
def alive_desk(held_desk: Desk) -> Desk:
    """A desk whose one claim is restored, alive and written to."""
    running = held_desk.running
    assert running.apply(running.restore).exit_code == errors.EXIT_OK
    (running.house.state_dir / "kubeconfig").touch()
    running.home.kube.objects().claims[KEY].entries = (a_file("mine", "written this morning"),)
    return held_desk


def test_without_consent_it_is_a_plan_that_names_what_stops(alive_desk: Desk, capsys: Printed) -> None:
    assert checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint"), Wanted(), "") != errors.EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    assert "apps/notes stop, and serve nobody until cluster.start" in out and "--approve" in out
    assert not alive_desk.running.home.kube.objects().resting


def test_by_consent_it_ends_with_safe_to_wipe_and_writes_lock_and_inventory(alive_desk: Desk, capsys: Printed) -> None:
    house = alive_desk.running.house
    checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint", json=True), Wanted(), "")
    digest = last_line(capsys)["plan"]
    assert checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint", json=True), Wanted(), digest) == errors.EXIT_OK
    told = last_line(capsys)
    assert told["safe"] is True and told["outcome"] == "done" and told["not_written"] is None
    assert [str(file) for file in (lock_path(house), inventory_path(house))] == told["written"]
    (row,) = read_lock(lock_path(house))
    assert row.claim == "apps/notes"
    assert checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint"), Wanted(), digest) == errors.EXIT_OK
    assert "Safe to wipe until an application starts again; invoke cluster.start puts" in " ".join(capsys.readouterr().out.split())


def test_what_is_not_saved_is_never_called_safe(alive_desk: Desk, capsys: Printed) -> None:
    checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint", json=True), Wanted(), "")
    digest = last_line(capsys)["plan"]
    alive_desk.running.home.kube.objects().sources[KEY].paused = True
    assert checkpoint.checkpoint_of(alive_desk.session("dr.checkpoint", json=True), Wanted(), digest) != errors.EXIT_OK
    told = last_line(capsys)
    assert "safe" not in told and not lock_path(alive_desk.running.house).exists()
