"""proxmox.machines: a VM that cannot be read is neither absent nor looked at."""

from __future__ import annotations

from bootstrap.checks.proxmox.machines import check
from cluster.course import Course
from engine.probe import Condition
from tests.hands import see
from tests.scenario.running import Running


def test_a_vm_on_a_host_that_is_off_is_named_and_not_counted(built: Running) -> None:
    course = Course(checks=(check(built.house),), steps=())
    assert see(built, course, "proxmox.machines").detail == "4 VMs looked at"
    built.home.proxmox.host_down("pve-2")
    seen = see(built, course, "proxmox.machines")
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "3 VMs looked at; 8002 cannot be read")
    for vm_id in set(built.home.proxmox.vms) - {8002}:
        del built.home.proxmox.vms[vm_id]
    seen = see(built, course, "proxmox.machines")
    assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "8002 cannot be read"), seen
