"""What every door of the Proxmox port refuses, and what a person meets where something goes wrong there."""

from __future__ import annotations

import pytest

from adapters.proxmox.meanings import task_failure
from adapters.proxmox.results import TaskRef
from cluster.machines.vms import disk_sizes
from engine.errors import PermanentError, TransientError
from lab.world.faults import Fault
from lab.world.pve.access import LabToken
from lab.world.pve.vm import LabVm, PowerEvent
from tests.builders import GIB
from tests.contract.proxmox.proxmox_doors import HOUSE, MUTATIONS, TOKEN, Door, a_spec, only_vm


class TestRefusals:
    def test_without_quorum_nothing_is_made_and_looking_still_works(self, door: Door) -> None:
        door.with_vm()
        door.pve.host_down("pve-3")
        door.pve.host_down("pve-4")
        assert not door.port.cluster().quorate
        assert only_vm(door).token == TOKEN
        for method in ("create_vm", "start_vm"):
            with pytest.raises(TransientError, match="no quorum") as caught:
                MUTATIONS[method](door)
            assert "quorum" in caught.value.hint

    def test_without_quorum_a_grow_grows_the_image_and_then_fails(self, door: Door) -> None:
        """And the same size again ends well and changes nothing, quorum or not: the configuration stays as it was."""
        door.with_vm()
        before = only_vm(door).disks[0]
        for host in ("pve-3", "pve-4"):
            door.pve.host_down(host)
        status = door.ended(door.port.grow_disk("pve-1", 8001, "scsi0", 20 * GIB))
        assert status.exit_status.endswith("Permission denied") and "Image resized." in status.log_tail
        assert isinstance(task_failure(status), TransientError)
        door.pve.host_up("pve-3")
        door.done(door.port.grow_disk("pve-1", 8001, "scsi0", 20 * GIB))
        assert only_vm(door).disks[0] == before
        assert disk_sizes(door.port, only_vm(door))["scsi0"] == 20 * GIB
        door.done(door.port.grow_disk("pve-1", 8001, "scsi0", 21 * GIB))
        assert only_vm(door).disks[0].size == 21 * GIB

    def test_a_download_needs_no_quorum(self, door: Door) -> None:
        for host in ("pve-3", "pve-4"):
            door.pve.host_down(host)
        door.with_image()

    def test_a_host_whose_status_daemon_is_mute_is_there_with_all_that_it_has(self, door: Door) -> None:
        door.with_vm()
        door.pve.hosts["pve-1"].mute = True
        cluster = door.port.cluster()
        assert (cluster.online, cluster.silent) == (("pve-1", "pve-2", "pve-3", "pve-4"), ("pve-1",))
        assert "pve-1" in {host.name for host in door.port.hosts()}
        assert only_vm(door).readable

    def test_after_a_power_cut_a_member_without_an_address_is_no_stranger(self, door: Door) -> None:
        door.with_vm()
        door.pve.power_cut()
        for host in ("pve-2", "pve-3", "pve-4"):
            door.pve.host_up(host)
        assert door.port.cluster().offline == ("pve-1",)
        assert not only_vm(door).readable
        with pytest.raises(TransientError, match="pve-1"):
            door.port.storages("pve-1")
        with pytest.raises(PermanentError, match="pve-9"):
            door.port.storages("pve-9")

    def test_a_missing_privilege_names_itself(self, door: Door) -> None:
        token = door.pve.access.tokens[HOUSE.proxmox.token_id]
        token.rights = {"/": token.rights["/"] - {"VM.Allocate"}}
        with pytest.raises(PermanentError, match="Permission check failed") as caught:
            door.port.create_vm(a_spec())
        assert "token" in caught.value.hint
        token.rights = {"/": token.rights["/"] - {"VM.PowerMgmt"}}
        with pytest.raises(PermanentError, match=r"\(/vms/8001, VM.PowerMgmt\)"):
            door.port.start_vm("pve-1", 8001)

    def test_a_token_holds_no_more_than_its_user(self, door: Door) -> None:
        user = door.pve.access.users["blackstart@pve"]
        user.rights = {"/": frozenset({"VM.Audit", "Sys.Audit"})}
        assert door.port.missing_privileges([("/vms", "VM.Allocate")]) == ("/vms: VM.Allocate",)

    def test_an_unknown_task(self, door: Door) -> None:
        upid = "UPID:pve-1:00001ED0:00035693:66343A23:qmcreate:8001:blackstart@pve!run:"
        with pytest.raises(TransientError, match="no such task"):
            door.port.task(TaskRef(upid, "pve-1"))

    def test_a_host_that_dies_breaks_its_tasks_off(self, door: Door) -> None:
        door.with_image()
        ref = door.port.create_vm(a_spec())
        door.pve.host_down("pve-1")
        with pytest.raises(TransientError):
            door.port.task(ref)
        door.pve.host_up("pve-1")
        status = door.port.task(ref)
        assert (status.running, status.ok, status.exit_status) == (False, False, "unexpected status")
        assert only_vm(door).lock == "create"


def kinds(door: Door) -> list[str]:
    """Kinds of all tasks of pve-1 but those that prepared the test."""
    return [task.kind for task in door.pve.tasks.of("pve-1")][:-2]


@pytest.mark.parametrize("method", MUTATIONS)
class TestFaults:
    def test_a_lost_reply_means_it_was_done_once(self, door: Door, method: str) -> None:
        door.with_vm()
        door.world.faults.arm(f"proxmox.{method}/*", Fault.LOSE_REPLY)
        with pytest.raises(TransientError):
            MUTATIONS[method](door)
        assert len(kinds(door)) == 1

    def test_an_error_twice_means_it_was_not_done(self, door: Door, method: str) -> None:
        door.with_vm()
        door.world.faults.arm(f"proxmox.{method}/*", Fault.ERROR_TWICE)
        for _ in range(2):
            with pytest.raises(TransientError):
                MUTATIONS[method](door)
        assert kinds(door) == []
        door.done(MUTATIONS[method](door))

    def test_a_lie_says_done_without_the_act(self, door: Door, method: str) -> None:
        door.with_vm()
        before = (door.port.vms(), door.port.images("pve-1", "local"))
        door.world.faults.arm(f"proxmox.{method}/*", Fault.LIE_ONCE)
        door.done(MUTATIONS[method](door))
        assert (door.port.vms(), door.port.images("pve-1", "local")) == before

    def test_a_slow_answer_is_an_answer(self, door: Door, method: str) -> None:
        door.with_vm()
        door.world.faults.arm(f"proxmox.{method}/*", Fault.SLOW)
        door.done(MUTATIONS[method](door))


def test_every_mutation_has_the_name_that_faults_are_armed_by(door: Door) -> None:
    door.with_vm()
    for method in ("grow_disk", "start_vm"):
        door.done(MUTATIONS[method](door))
    assert door.world.faults.reached == [
        "proxmox.download_image/pve-1#1",
        "proxmox.create_vm/8001#1",
        "proxmox.grow_disk/8001#1",
        "proxmox.start_vm/8001#1",
    ]


def test_a_hook_sees_the_guests_disks(door: Door) -> None:
    seen: list[list[tuple[str, str]]] = []

    def hook(vm: LabVm, event: PowerEvent) -> None:
        if event is PowerEvent.STARTED:
            seen.append([(slot, volume.contents.image) for slot, volume in vm.guest_disks()])

    door.pve.on_power.append(hook)
    door.with_vm()
    door.done(door.port.start_vm("pve-1", 8001))
    assert seen == [[("scsi0", HOUSE.image.filename), ("scsi1", "")]]


def test_a_wrong_token_is_no_outage(door: Door) -> None:
    """Only the wire knows secrets; in process the token may simply not exist."""
    door.pve.access.tokens[HOUSE.proxmox.token_id] = LabToken(HOUSE.proxmox.token_id, "another-secret")
    with pytest.raises(PermanentError):
        door.port.create_vm(a_spec())
