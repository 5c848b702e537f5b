"""What is known of the backups of a NAS's VM, judged: what was not looked at is never none, and damaged is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.proxmox.results import VmBackup, VmBackups
from cluster.storage.findings import Weight, worst
from cluster.storage.nas.vm_backup import backup_findings
from tests.scenario.faults.test_nas import NAS

NOW = 1_800_000_000.0
DAY_S = 86400.0
UNDATED = VmBackup("pbs:x", None, 1)
HIDDEN = ("pve-4 is offline",)


def made(days: float, verified: str = "") -> VmBackup:
    return VmBackup(f"pbs:backup/vm/105/{days:g}", NOW - days * DAY_S, 1, verified)


@pytest.mark.parametrize(("found", "unseen", "weight", "told"), [
    ((made(40), made(1, "ok")), (), Weight.FINE, "24.0 h old"),
    ((made(1),), HIDDEN, Weight.NOTED, "not looked at: pve-4 is offline"),
    ((), (), Weight.BLOCKS, "there is none, on pbs"),
    ((), HIDDEN, Weight.UNKNOWN, "pve-4 is offline"),
    ((made(36),), (), Weight.BLOCKS, "36.0 days old, and 35.0 days is the limit"),
    ((made(36),), HIDDEN, Weight.UNKNOWN, "not looked at"),
    ((made(1, "failed"),), (), Weight.BLOCKS, "its server finds damaged"),
    ((made(2), made(1, "failed")), (), Weight.BLOCKS, "/1, the newest, is damaged"),
    ((made(2, "failed"), made(1)), (), Weight.FINE, "24.0 h old"),
    ((made(-1),), (), Weight.UNKNOWN, "which is later than now"),
    ((UNDATED,), (), Weight.UNKNOWN, "there is none, on pbs; not looked at: pbs:x, which bears no date"),
    ((made(36), UNDATED), (), Weight.UNKNOWN, "not looked at: pbs:x"),
    ((made(1), UNDATED), (), Weight.NOTED, "not looked at: pbs:x"),
    ((made(1), replace(UNDATED, verified="failed")), (), Weight.FINE, "24.0 h old"),
    ((made(36), UNDATED), HIDDEN, Weight.UNKNOWN, "pve-4 is offline, pbs:x, which bears no date"),
])  # fmt: skip
def test_what_they_come_to(found: tuple[VmBackup, ...], unseen: tuple[str, ...], weight: Weight, told: str) -> None:
    findings = [*backup_findings(NAS, VmBackups(found, ("pbs",), unseen), NOW)]
    assert worst(findings) is weight
    assert told in findings[0].detail


def test_where_no_storage_holds_backups_that_is_said() -> None:
    (only,) = backup_findings(NAS, VmBackups((), ()), NOW)
    assert (only.weight, "no storage of the hosts that was seen holds backups" in only.detail) == (Weight.BLOCKS, True)
