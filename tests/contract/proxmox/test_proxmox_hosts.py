"""How hosts, and guests by their own system, are switched through every door of the Proxmox port."""

from __future__ import annotations

import pytest

from adapters.proxmox.results import PowerState
from engine.errors import PermanentError, TransientError
from lab.world.pve.access import PRIVILEGES
from tests.contract.proxmox.proxmox_doors import HOUSE, Door


def without(door: Door, path: str, privilege: str) -> None:
    token = door.pve.access.tokens[HOUSE.proxmox.token_id]
    token.rights = {**token.rights, path: PRIVILEGES - {privilege}}


class TestHosts:
    def test_one_that_is_told_to_go_off_does_and_the_others_see_it(self, door: Door) -> None:
        assert door.port.cluster().asked == "pve-1"
        door.port.shut_down_host("pve-4")
        assert door.port.cluster().offline == (), "it was told, and is not off yet"
        door.port.shut_down_host("pve-4")
        door.sleep(60.0)
        assert door.port.cluster().offline == ("pve-4",)
        assert [one.what for one in door.world.happenings].count("host pve-4 off") == 1

    def test_without_a_majority_the_rest_goes_off_all_the_same_until_nobody_answers(self, door: Door) -> None:
        for host in ("pve-4", "pve-3", "pve-2"):
            door.port.shut_down_host(host)
            door.sleep(60.0)
        assert not door.port.cluster().quorate
        door.port.shut_down_host("pve-1")
        door.sleep(60.0)
        with door.world.looking():
            assert door.pve.online == ()
        with pytest.raises(TransientError):
            door.port.cluster()

    def test_one_that_sleeps_is_woken_by_another(self, door: Door) -> None:
        door.pve.hosts["pve-4"].wake_mac = "02:00:00:00:00:04"
        door.pve.host_down("pve-4")
        door.port.wake_host("pve-4")
        door.port.wake_host("pve-4")
        assert door.port.cluster().offline == ("pve-4",)
        door.sleep(300.0)
        assert door.port.cluster().offline == ()

    def test_one_whose_mac_nobody_gave_is_refused_with_what_to_do(self, door: Door) -> None:
        door.pve.host_down("pve-4")
        with pytest.raises(PermanentError, match="No wake on LAN MAC address defined for 'pve-4'") as no:
            door.port.wake_host("pve-4")
        assert "pvenode config set --wakeonlan MAC" in no.value.hint

    def test_both_need_their_privilege(self, door: Door) -> None:
        without(door, "/nodes/pve-4", "Sys.PowerMgmt")
        for act in (door.port.shut_down_host, door.port.wake_host):
            with pytest.raises(PermanentError, match=r"Permission check failed \(/nodes/pve-4, Sys.PowerMgmt\)"):
                act("pve-4")


class TestGuests:
    def test_one_that_hears_ends_and_goes_off(self, door: Door) -> None:
        spec = door.with_vm()
        door.done(door.port.start_vm(spec.host, spec.vm_id))
        door.done(door.port.shut_down_vm(spec.host, spec.vm_id))
        assert door.port.vms()[0].power is PowerState.STOPPED

    def test_one_that_does_not_is_left_running(self, door: Door) -> None:
        spec = door.with_vm()
        door.done(door.port.start_vm(spec.host, spec.vm_id))
        door.pve.hears = lambda vm: False
        ended = door.ended(door.port.shut_down_vm(spec.host, spec.vm_id))
        assert not ended.ok and "got timeout" in ended.exit_status
        assert door.port.vms()[0].power is PowerState.RUNNING
