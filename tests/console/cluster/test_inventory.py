"""cluster.inventory: what is there, what differs from the file, and the file that is written."""

from __future__ import annotations

import pytest

from console.ending import guarded
from console.verbs.cluster.inventory import inventory_of
from console.verbs.cluster.verify import verify_of
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED, SettingsInvalid
from house.known.inventory import INVENTORY_FILE, inventory_path, known_inventory
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line


@pytest.fixture
def living_desk(held_desk: Desk) -> Desk:
    """Its one claim restored."""
    assert held_desk.running.apply(held_desk.running.restore).converged
    return held_desk


def test_it_shows_what_is_there_and_writes_nothing_unasked(living_desk: Desk, capsys: Printed) -> None:
    assert inventory_of(living_desk.session("cluster.inventory"), write=False) == EXIT_DRIFT
    shown = capsys.readouterr().out
    assert "8001" in shown and "cp-1" in shown and "apps/notes" in shown
    assert f"4 VMs, 1 volume; {INVENTORY_FILE} is not there yet." in shown.replace("\n", " ")
    assert known_inventory(living_desk.running.house) is None


def test_it_writes_it_and_verify_holds_it_against_the_house(living_desk: Desk, capsys: Printed) -> None:
    desk = living_desk
    assert inventory_of(desk.session("cluster.inventory", json=True), write=True) == EXIT_OK
    result = last_line(capsys)
    assert result["written"] == [str(inventory_path(desk.running.house))]
    assert [vm["vm_id"] for vm in result["inventory"]["machines"]["vms"]] == [8001, 8002, 8003, 8004]
    assert inventory_of(desk.session("cluster.inventory", json=True), write=False) == EXIT_OK
    assert last_line(capsys)["outcome"] == "as written"
    verify_of(desk.session("cluster.verify", json=True))
    rows = {row["id"]: row for row in last_line(capsys)["steps"]}
    assert rows["house.inventory"]["outcome"] == "ok"
    inventory_path(desk.running.house).unlink()
    verify_of(desk.session("cluster.verify", json=True))
    result = last_line(capsys)
    (row,) = [row for row in result["steps"] if row["id"] == "house.inventory"]
    assert (row["outcome"], row["advisory"]) == ("failed", True)


def test_what_could_not_be_looked_at_is_said_and_stays_in_the_file(living_desk: Desk, capsys: Printed) -> None:
    desk = living_desk
    inventory_of(desk.session("cluster.inventory"), write=True)
    known = known_inventory(desk.running.house)
    desk.running.home.proxmox.hosts["pve-4"].online = False
    capsys.readouterr()
    assert inventory_of(desk.session("cluster.inventory"), write=True) == EXIT_STEP_FAILED
    told = " ".join(capsys.readouterr().out.split())
    assert "not looked at: machines (VM 8004 on pve-4 cannot be read: its host does not answer)" in told
    after = known_inventory(desk.running.house)
    assert known is not None and after is not None and after.machines == known.machines


def test_a_damaged_one_is_refused_and_never_written_over(living_desk: Desk, capsys: Printed) -> None:
    file = inventory_path(living_desk.running.house)
    file.write_text("house: {\n")
    session = living_desk.session("cluster.inventory")
    assert guarded("cluster.inventory", False, lambda: inventory_of(session, write=True)) == SettingsInvalid.exit_code
    assert file.read_text() == "house: {\n"
    assert f"{INVENTORY_FILE} cannot be used as it is: 1 problem" in capsys.readouterr().err
