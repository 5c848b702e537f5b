"""`dr.audit` of backups on a NAS: one that is off, or shows nothing of them, leaves them unknown, and is never started."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backups.results import Verdict
from cluster.backups.audit import ClaimAudit
from cluster.storage.nas.showing import Showing
from console.verbs.dr import audit
from engine import errors
from lab.ports.machines.nas import ModelledNas
from lab.troubles.nas import NAS_FAULTS
from lab.world.clock import VirtualClock
from lab.world.nas import LabNas, LabUser, sample_nas
from lab.world.pve.vm import PowerEvent
from lab.world.store import Trouble
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.scenario.faults.test_nas import a_nas_house, plugged

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A claim on a NAS in VM 105, and one in a bucket."""
    house = a_nas_house()
    made = Desk(tmp_path, nas=house.nas, claims=house.claims, flux_apps=house.flux_apps)
    plugged(made.running)
    return made


def box(desk: Desk) -> LabNas:
    return desk.running.home.nas["nas"]


def audited(desk: Desk, capsys: Printed) -> dict[str, object]:
    """The result of the verb as JSON."""
    assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
    result: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    return result


def off(desk: Desk) -> None:
    """Its VM is off, and the place where its export was mounted is an empty folder."""
    pve = desk.running.home.proxmox
    pve.power(pve.vms[105], PowerEvent.STOPPED)
    del desk.running.home.store.repositories["/repository/notes"]


def test_one_that_is_off_is_said_with_the_backups_that_wait_for_it_and_stays_off(desk: Desk, capsys: Printed) -> None:
    off(desk)
    before = list(desk.running.home.world.faults.reached)
    result = audited(desk, capsys)
    assert {row["claim"]: row["verdict"] for row in result["audits"]} == {"apps/notes": "unreachable", "apps/wiki": "ok"}  # type: ignore[attr-defined]  # rows
    (away,) = result["nas_away"]  # type: ignore[misc]  # rows
    assert (away["nas"], away["waiting"]) == ("nas", ["apps/notes"])
    assert away["told"].endswith("its VM 105 is off, on pve-2")
    assert "qm start 105" in away["hint"]
    assert desk.running.home.world.faults.reached == before, "an audit changed something"
    assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
    told = " ".join(capsys.readouterr().out.split())
    assert "its VM 105 is off, on pve-2" in told
    assert "backups that wait for it: apps/notes" in told
    assert "an audit starts nothing" in told
    assert not desk.running.home.proxmox.vms[105].running


def test_a_proxmox_that_is_gone_as_well_leaves_the_verdict_and_adds_nothing(desk: Desk, capsys: Printed) -> None:
    off(desk)
    for host in list(desk.running.home.proxmox.hosts):
        desk.running.home.proxmox.host_down(host)
    result = audited(desk, capsys)
    assert result["counts"] == {"ok": 1, "unreachable": 1, "nas_away": 1}


@pytest.mark.parametrize(("trouble", "told"), [
    ("nas-dataset-unmounted", "dataset tank/backup is not mounted"), ("nas-dataset-locked", "dataset tank/backup is locked"),
    ("nas-dataset-gone", "dataset tank/backup is not there"), ("nas-pool-not-imported", "pool tank is OFFLINE"),
    ("nas-export-off", "export NFS /mnt/tank/backup is switched off"), ("nas-key-expired", "expired"),
    ("nas-starting", "it is BOOTING"),
])  # fmt: skip
@pytest.mark.parametrize("seen", ["gone", "empty"])
def test_a_place_that_shows_nothing_of_it_is_unknown_and_neither_empty_nor_missing(
    desk: Desk, capsys: Printed, trouble: str, told: str, seen: str
) -> None:
    NAS_FAULTS[trouble].begin(box(desk), desk.running.clock.now())
    if seen == "gone":
        del desk.running.home.store.repositories["/repository/notes"]
    else:
        desk.running.home.store.repositories["/repository/notes"].snapshots.clear()
    (row,) = [one for one in audited(desk, capsys)["audits"] if one["claim"] == "apps/notes"]  # type: ignore[attr-defined]  # rows
    assert row["verdict"] == "unreachable"
    assert told in row["detail"]
    assert "seen from here" in row["detail"]


@pytest.mark.parametrize("trouble", ["nas-pool-degraded", "nas-pool-full", "nas-scrub-old", "nas-smb-stopped", "nas-share-gone"])
def test_what_hides_nothing_leaves_the_verdict(desk: Desk, capsys: Printed, trouble: str) -> None:
    NAS_FAULTS[trouble].begin(box(desk), desk.running.clock.now())
    del desk.running.home.store.repositories["/repository/notes"]
    result = audited(desk, capsys)
    assert result["counts"] == {"ok": 1, "missing": 1}
    assert result["nas_away"] == []


def test_a_backup_that_was_found_asks_no_nas_and_a_damaged_one_stays_damaged(desk: Desk, capsys: Printed) -> None:
    box(desk).weather.down = True
    assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK
    capsys.readouterr()
    desk.running.home.store.repositories["/repository/notes"].trouble = Trouble.DAMAGED
    assert "nas_away" not in audited(desk, capsys)["counts"]  # type: ignore[operator]  # a mapping


def a_verdict(change: Callable[[LabNas], None], address: str) -> ClaimAudit:
    """What becomes of `missing` at this address."""
    house, clock = a_nas_house(), VirtualClock()
    made = sample_nas(clock.now(), LabUser("blackstart", "k"))
    change(made)
    claim = a_claim("notes", mover_repository=address, open_as=address)
    missing = ClaimAudit(claim, Verdict.MISSING, "", None, None, (), "not in it")
    showing = Showing(replace(house, claims=(claim,)), ModelledNas({"nas": made}, clock), None)  # type: ignore[arg-type]  # not asked
    return showing.judged(missing)


def test_by_sftp_no_export_counts_and_what_lies_elsewhere_is_nobodys_here() -> None:
    ours, other = "sftp:restic@nas.lan:/mnt/tank/backup/notes", "sftp:restic@elsewhere.lan:/mnt/tank/backup/notes"

    def export_gone(nas: LabNas) -> None:
        nas.nfs.clear()

    def unmounted(nas: LabNas) -> None:
        nas.dataset("tank/backup").mounted = False

    assert a_verdict(export_gone, ours).verdict is Verdict.MISSING
    assert a_verdict(unmounted, ours).verdict is Verdict.UNREACHABLE
    assert a_verdict(unmounted, other).verdict is Verdict.MISSING
