"""What is asked of Proxmox and its hosts before the first VM: each check says no by its own reason alone, then yes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.inventory import take
from engine.errors import PermanentError
from engine.probe import Condition
from house.known.inventory import inventory_path
from house.known.inventory_text import write_inventory
from house.model import DiskFate, TalosImage
from lab.world.cluster.longhorn import healthy
from lab.world.disks import DiskContents, LabStorage
from lab.world.nas import LabUser, sample_nas
from lab.world.pve.access import everything
from lab.world.pve.vm import LabVm, PowerEvent
from tests.builders import GIB
from tests.hands import see
from tests.scenario.faults.test_nas import NAS, a_nas_house
from tests.scenario.running import Running


class TestQuorum:
    def test_a_majority_is_enough_and_who_is_missing_is_a_row_of_its_own(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-4")
        assert see(bare, bare.bootstrap, "preflight.quorum").condition is Condition.SATISFIED
        seen = see(bare, bare.bootstrap, "preflight.host/pve-4")
        assert (seen.condition, seen.detail, seen.evidence) == (Condition.MISSING, "pve-4 is offline: w-1 left out", ())
        assert see(bare, bare.bootstrap, "preflight.host/pve-1").condition is Condition.SATISFIED

    def test_without_a_control_planes_host_it_says_what_etcd_can_bear(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-2")
        seen = see(bare, bare.bootstrap, "preflight.host/pve-2")
        assert seen.evidence == ("control planes on hosts that are there: 2 of 3; one more loss stops it",)

    def test_a_host_that_nobody_knows_is_told_apart_from_one_that_is_off(self, bare: Running) -> None:
        node = replace(bare.house.nodes[0], host="pve-9")
        bare.house = replace(bare.house, nodes=(node, *bare.house.nodes[1:]))
        assert see(bare, bare.bootstrap, "preflight.host/pve-9").detail == "there is no host pve-9"

    def test_a_host_with_a_silent_status_daemon_is_there(self, bare: Running) -> None:
        bare.home.proxmox.hosts["pve-2"].mute = True
        assert "pvestatd" in see(bare, bare.bootstrap, "preflight.host/pve-2").detail

    def test_no_quorum_names_who_is_up_and_who_is_down(self, bare: Running) -> None:
        for host in ("pve-1", "pve-2"):
            bare.home.proxmox.host_down(host)
        seen = see(bare, bare.bootstrap, "preflight.quorum")
        assert seen.evidence == ("online: pve-3, pve-4", "offline: pve-1, pve-2")

    def test_a_proxmox_that_does_not_answer_is_unknown(self, bare: Running) -> None:
        for host in list(bare.home.proxmox.hosts):
            bare.home.proxmox.host_down(host)
        assert see(bare, bare.bootstrap, "preflight.quorum").condition is Condition.UNKNOWN


class TestKeptDisks:
    ID = "preflight.kept-disks/cp-1"

    def leave(self, bare: Running, vm_id: int = 8001) -> None:
        storage = bare.home.proxmox.storages.find("pve-1", "local-lvm")
        assert storage is not None
        assert storage.new_disk(vm_id, 50 * GIB, 0.0, DiskContents())

    def test_a_disk_that_outlived_its_vm_stops_the_run_and_is_named(self, bare: Running) -> None:
        self.leave(bare)
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("local-lvm:vm-8001-disk-0, 50.0 GiB",))
        report = bare.apply(bare.bootstrap)
        assert [line.id for line in report.root_causes] == [self.ID]
        assert sorted(bare.home.proxmox.vms) == [8002, 8003, 8004], "what is not its own goes on"

    def test_an_inventory_says_which_disk_it_was_and_whose_data_lay_there(self, built: Running, tmp_path: Path) -> None:
        built.house = replace(built.house, settings_file=tmp_path / "blackstart.yaml")
        built.home.kube.objects().longhorn = healthy(("cp-1", "cp-2", "w-1"))
        write_inventory(inventory_path(built.house), take(built.home.look(), built.house).seen)
        vm = built.home.proxmox.vms[8001]
        volume = next(disk.volume for disk in built.home.look().proxmox.vms()[0].disks if disk.slot == "scsi1")
        built.home.proxmox.power(vm, PowerEvent.STOPPED)
        del built.home.proxmox.vms[8001]  # and its disks stay
        seen = see(built, built.bootstrap, self.ID)
        assert f"{volume}, 50.0 GiB: scsi1 of cp-1 by blackstart.inventory.yaml" in seen.evidence
        assert seen.evidence[-1] == "Longhorn had replicas of apps/notes, apps/old on cp-1, by blackstart.inventory.yaml"

    def test_another_vms_disk_is_none_of_ours(self, bare: Running) -> None:
        self.leave(bare, 117)
        assert see(bare, bare.bootstrap, self.ID).condition is Condition.SATISFIED

    def test_of_what_can_be_created_anew_nothing_is_asked(self, bare: Running) -> None:
        self.leave(bare)
        nodes = tuple(
            replace(node, disks=tuple(replace(disk, fate=DiskFate.CREATE) for disk in node.disks)) for node in bare.house.nodes
        )
        bare.house = replace(bare.house, nodes=nodes)
        assert self.ID not in [check.id for check in bare.bootstrap.checks]

    def test_a_vm_that_is_there_has_its_disks(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.ID).detail == "a VM has them"


class TestPrivileges:
    @pytest.mark.parametrize(
        ("path", "left", "lacking"),
        [
            ("/vms/8002", "VM.Audit", "/vms/8002: VM.Allocate"),
            ("/storage/local", "Datastore.Audit", "/storage/local: Datastore.AllocateTemplate"),
            ("/sdn/zones/localnetwork/vmbr0", "SDN.Audit", "/sdn/zones/localnetwork/vmbr0: SDN.Use"),
            ("/", "VM.Audit", "/: Sys.Audit"),
            ("/nodes/pve-1", "Sys.Audit", "/nodes/pve-1: Sys.AccessNetwork"),
        ],
    )
    def test_what_is_lacking_is_named_with_its_path(self, bare: Running, path: str, left: str, lacking: str) -> None:
        bare.home.proxmox.access.tokens[bare.house.proxmox.token_id].rights[path] = frozenset({left})
        seen = see(bare, bare.bootstrap, "preflight.privileges")
        assert seen.condition is Condition.MISSING
        assert lacking in seen.evidence

    def test_what_is_granted_on_a_path_is_all_that_is_wanted_there_for_it_replaces_what_was_inherited(self, bare: Running) -> None:
        token = bare.home.proxmox.access.tokens[bare.house.proxmox.token_id]
        token.rights["/"] = everything()["/"] - {"Datastore.AllocateTemplate", "VM.Config.HWType"}
        hint = see(bare, bare.bootstrap, "preflight.privileges").hint
        roles = {name: set(privs.split()) for name, privs in re.findall(r"role add (\w+) --privs '([^']*)'", hint)}
        granted = [(path, roles[role]) for path, role in re.findall(r"acl modify (\S+) --roles (\w+)", hint)]
        assert {path for path, _ in granted} == {"/storage/local", "/vms"}
        for path, privileges in granted:
            token.rights[path] = frozenset(privileges)
        assert see(bare, bare.bootstrap, "preflight.privileges").condition is Condition.SATISFIED

    def test_a_role_that_is_there_already_stops_no_command(self, bare: Running) -> None:
        bare.home.proxmox.access.tokens[bare.house.proxmox.token_id].rights["/"] = frozenset({"Sys.Audit"})
        hint = see(bare, bare.bootstrap, "preflight.privileges").hint
        made, otherwise = re.findall(r"role add (\w+) ", hint), re.findall(r"\|\| pveum role modify (\w+) --append 1 ", hint)
        assert made and made == otherwise


class TestRoom:
    CHECK = "preflight.room/pve-1"

    def storage(self, house: Running, name: str) -> LabStorage:
        """A storage of the first host."""
        found = house.home.proxmox.storages.find("pve-1", name)
        assert found is not None
        return found

    def no(self, house: Running) -> tuple[str, ...]:
        """What the check gives as its reasons; other hosts' checks must still say yes."""
        seen = see(house, house.bootstrap, self.CHECK)
        assert seen.condition is Condition.MISSING
        assert see(house, house.bootstrap, "preflight.room/pve-2").condition is Condition.SATISFIED
        return seen.evidence

    def test_memory(self, bare: Running) -> None:
        bare.home.proxmox.hosts["pve-1"].memory = 9 * GIB
        assert self.no(bare) == ("memory: 8.0 GiB wanted, 7.0 GiB free",)

    @pytest.mark.parametrize(("host", "memory", "off", "condition"), [
        ("pve-9", 9, True, Condition.MISSING), ("pve-9", 11, True, Condition.SATISFIED), ("pve-9", 9, False, Condition.SATISFIED),
        # The row of a host whose nodes are still to start counts it already.
        ("pve-1", 9, True, Condition.SATISFIED),
    ])  # fmt: skip
    def test_memory_of_a_nas_on_a_host_of_no_node_has_a_row_of_its_own(
        self, tmp_path: Path, host: str, memory: int, off: bool, condition: Condition
    ) -> None:  # fmt: skip
        bare = Running(tmp_path / "state", a_nas_house())
        bare.backed_up()
        bare.home.proxmox.hosts["pve-9"] = replace(bare.home.proxmox.hosts["pve-4"], name="pve-9")
        vm = bare.home.plug_nas(sample_nas(bare.clock.now(), LabUser("blackstart", "3-key")), 105, host)
        if off:
            bare.home.proxmox.power(vm, PowerEvent.STOPPED)
        bare.home.proxmox.hosts[host].memory = memory * GIB
        seen = see(bare, bare.bootstrap, "preflight.room/nas.nas")
        assert seen.condition is condition, seen
        if condition is Condition.MISSING:
            assert seen.evidence == ("memory: 8.0 GiB wanted by NAS nas, 7.0 GiB free",)

    def test_two_nas_on_one_host_want_their_memory_together(self, tmp_path: Path) -> None:
        bare = Running(tmp_path / "state", a_nas_house(NAS, replace(NAS, name="attic", vm=106, vm_name="attic")))
        bare.backed_up()
        bare.home.proxmox.hosts["pve-9"] = replace(bare.home.proxmox.hosts["pve-4"], name="pve-9", memory=13 * GIB)
        for vm_id, name in ((105, "nas"), (106, "attic")):
            box = replace(sample_nas(bare.clock.now(), LabUser("blackstart", "3-key")), hostname=name)
            bare.home.proxmox.power(bare.home.plug_nas(box, vm_id, "pve-9"), PowerEvent.STOPPED)
        for name in ("nas", "attic"):
            seen = see(bare, bare.bootstrap, f"preflight.room/nas.{name}")
            assert seen.condition is Condition.MISSING, seen
            assert seen.evidence == ("memory: 8.0 GiB wanted by NAS nas, 8.0 GiB wanted by NAS attic, 11.0 GiB free",)

    @pytest.mark.parametrize(("host", "off", "told"), [
        ("pve-1", True, ("memory: 16.0 GiB wanted, 8.0 GiB of it by NAS nas, 13.0 GiB free",)), ("pve-1", False, ()),
        ("pve-2", True, ()),
    ])  # fmt: skip
    def test_memory_of_a_nas_that_the_run_starts_is_wanted_too(
        self, tmp_path: Path, host: str, off: bool, told: tuple[str, ...]
    ) -> None:
        bare = Running(tmp_path / "state", a_nas_house())
        bare.backed_up()
        vm = bare.home.plug_nas(sample_nas(bare.clock.now(), LabUser("blackstart", "3-key")), 105, host)
        if off:
            bare.home.proxmox.power(vm, PowerEvent.STOPPED)
        bare.home.proxmox.hosts["pve-1"].memory = (15 if off else 19) * GIB
        seen = see(bare, bare.bootstrap, self.CHECK)
        assert seen.evidence == told

    def test_space(self, bare: Running) -> None:
        self.storage(bare, "local-lvm").total = 60 * GIB
        assert self.no(bare) == ("storage local-lvm: 70.0 GiB wanted, 60.0 GiB free",)

    def test_space_on_a_shared_storage_must_do_for_all_hosts(self, bare: Running) -> None:
        bare.home.proxmox.storages.add(LabStorage("ceph", "rbd", frozenset({"images"}), 150 * GIB, shared=True))
        nodes = [replace(n, disks=tuple(replace(d, storage="ceph") for d in n.disks)) for n in bare.house.nodes]
        bare.house = replace(bare.house, nodes=tuple(nodes))
        asked = sum(disk.size for node in nodes for disk in node.disks) // GIB
        seen = see(bare, bare.bootstrap, self.CHECK)
        assert seen.evidence == (f"storage ceph: {asked}.0 GiB wanted, 150.0 GiB free",)

    def test_content_type(self, bare: Running) -> None:
        self.storage(bare, "local").content = frozenset({"iso"})
        assert self.no(bare) == (
            "storage local: content type 'import' is not enabled: pvesm set local --content import,iso",
        )

    def test_an_iso_asks_for_the_content_that_it_is(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=TalosImage("", "", "local", "iso/metal-amd64.iso"))
        self.storage(bare, "local").content = frozenset({"import"})
        assert self.no(bare) == ("storage local: content type 'iso' is not enabled: pvesm set local --content import,iso",)

    def test_a_storage_that_is_not_active(self, bare: Running) -> None:
        self.storage(bare, "local-lvm").active = False
        assert self.no(bare) == ("storage local-lvm: not active",)

    def test_a_storage_that_is_not_there(self, bare: Running) -> None:
        node = bare.house.nodes[0]
        disks = tuple(replace(disk, storage="fast") for disk in node.disks)
        bare.house = replace(bare.house, nodes=(replace(node, disks=disks), *bare.house.nodes[1:]))
        assert self.no(bare) == ("storage fast: not on this host",)

    def test_memory_of_a_vm_that_is_there_and_off(self, built: Running) -> None:
        built.home.proxmox.power(built.home.proxmox.vms[8001], PowerEvent.STOPPED)
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        built.home.proxmox.hosts["pve-1"].memory = 4 << 30
        assert self.no(built)[0].startswith("memory: ")

    def test_what_is_there_already_needs_no_room(self, built: Running) -> None:
        built.home.proxmox.hosts["pve-1"].memory = 10 * GIB
        self.storage(built, "local").content = frozenset({"iso"})
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "nothing to make")

    def test_somebody_else_s_vm_at_our_id_is_a_permanent_no(self, bare: Running) -> None:
        bare.home.proxmox.vms[8001] = LabVm(8001, "pve-1", {"name": "desktop"}, {}, {})
        with pytest.raises(PermanentError, match="not ours"):
            see(bare, bare.bootstrap, self.CHECK)


class TestClocks:
    @pytest.mark.parametrize(("skew", "said"), [(31.0, Condition.MISSING), (-40.0, Condition.MISSING), (25.0, Condition.SATISFIED)])
    def test_half_a_minute_is_the_limit_and_each_host_has_its_own_row(self, bare: Running, skew: float, said: Condition) -> None:
        bare.home.proxmox.hosts["pve-2"].skew = skew
        seen = see(bare, bare.bootstrap, "preflight.clock/pve-2")
        assert seen.condition is said
        assert [line.split(":")[0] for line in seen.evidence] == (["pve-2"] if said is Condition.MISSING else [])
        assert see(bare, bare.bootstrap, "preflight.clock/pve-1").condition is Condition.SATISFIED

    def test_a_host_that_is_off_has_told_no_time(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-2")
        assert see(bare, bare.bootstrap, "preflight.clock/pve-2").condition is Condition.UNKNOWN
