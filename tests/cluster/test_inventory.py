"""house.inventory: none, one that is right, one that is not, an old one and one that nobody can hold against anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from cluster.inventory import differences, take
from cluster.inventory_check import OLD_S, InventoryAge
from engine.probe import Condition, Probe
from house.known.inventory import ceph_of, inventory_path, known_inventory
from house.known.inventory_text import write_inventory
from lab.world.cluster.longhorn import healthy
from lab.world.cluster.rook import FSID, LabRook, classes
from lab.world.pve.vm import PowerEvent
from tests.builders import a_house
from tests.copied import copied
from tests.scenario.running import Running


@pytest.fixture
def house(tmp_path: Path) -> Running:
    """Built and restored, with Rook and Longhorn, and its inventory written."""
    return copied(_built, tmp_path)


def _built(folder: Path) -> Running:
    made = Running.restored(folder / "state", a_house(settings_file=folder / "blackstart.yaml"))
    objects = made.home.kube.objects()
    objects.longhorn = healthy()
    objects.rook.append(LabRook.healthy(made.clock.now()))
    write(made)
    return made


def write(house: Running) -> None:
    file = inventory_path(house.house)
    write_inventory(file, take(house.home.look(), house.house).kept(known_inventory(house.house)))


def see(house: Running) -> Probe:
    before = list(house.home.world.faults.reached)
    seen = InventoryAge(house.house).probe(house.home.look())
    assert house.home.world.faults.reached == before
    return seen


def test_none_is_missing_and_a_right_one_is_fine(house: Running) -> None:
    assert see(house).condition is Condition.SATISFIED
    inventory_path(house.house).unlink()
    assert see(house).condition is Condition.MISSING
    assert see(house).hint == "invoke cluster.inventory --write, then commit the file"


def test_what_is_another_is_told_by_name(house: Running) -> None:
    objects = house.home.kube.objects()
    vm = house.home.proxmox.vms[8004]
    vm.options["memory"] = 16384
    objects.claims[("apps", "notes")].volume = "pvc-new"
    assert objects.longhorn is not None
    objects.longhorn = replace(objects.longhorn, volumes=objects.longhorn.volumes[1:])
    objects.rook[0].cluster = replace(objects.rook[0].cluster, fsid="another")
    seen = see(house)
    assert seen.condition is Condition.DRIFTED
    (old,) = [line for line in seen.evidence if line.startswith("volume vol-")]
    assert sorted({*seen.evidence} - {old}) == [
        "Ceph rook-ceph/rook-ceph: another fsid: it was made anew", "Longhorn's pvc-1: gone", "VM 8004: another memory",
        "volume pvc-new: new",
    ]  # fmt: skip
    write(house)
    assert see(house).condition is Condition.SATISFIED


def test_an_old_one_has_aged(house: Running) -> None:
    house.clock.sleep(OLD_S + 86400)
    assert "its machines of 32.0 days ago; its cluster of 32.0 days ago" in see(house).detail
    write(house)
    assert see(house).condition is Condition.SATISFIED


def test_one_that_is_dated_later_than_now_has_no_age(house: Running) -> None:
    known = known_inventory(house.house)
    assert known is not None and known.machines is not None
    write_inventory(inventory_path(house.house), replace(known, machines=replace(known.machines, date="2099-01-01T00:00:00Z")))
    seen = see(house)
    assert seen.condition is Condition.DRIFTED and "its machines of 2099-01-01T00:00:00Z, which is later than now" in seen.detail


def test_where_nobody_answers_it_is_unknown_and_what_was_known_stays(house: Running) -> None:
    known = known_inventory(house.house)
    assert known is not None
    house.home.kube.api_down.update(node.address for node in house.house.control_planes)
    seen = see(house)
    assert seen.condition is Condition.UNKNOWN and seen.detail.startswith("could not look: cluster: no API server answers")
    house.clock.sleep(3600)
    write(house)
    after = known_inventory(house.house)
    assert after is not None and after.cluster == known.cluster and after.machines is not None
    assert known.machines is not None and after.machines.date != known.machines.date


def test_a_house_that_lacks_a_vm_or_cannot_see_one_is_not_written_down_as_a_smaller_one(house: Running) -> None:
    house.home.proxmox.hosts["pve-4"].online = False
    taken = take(house.home.look(), house.house)
    assert taken.seen.machines is None and "VM 8004 on pve-4 cannot be read" in taken.silent["machines"]
    house.home.proxmox.hosts["pve-4"].online = True
    vm = house.home.proxmox.vms[8004]
    house.home.proxmox.power(vm, PowerEvent.STOPPED)
    house.home.proxmox.remove(vm)
    assert "no VM is the node w-1" in take(house.home.look(), house.house).silent["machines"]
    assert differences(take(house.home.look(), house.house).seen, take(house.home.look(), house.house).seen) == ()


def test_a_section_that_was_never_looked_at_is_no_empty_one(house: Running) -> None:
    known = known_inventory(house.house)
    assert known is not None
    write_inventory(inventory_path(house.house), replace(known, cluster=None))
    assert see(house).evidence == ("cluster: never looked at",)


def test_an_id_that_is_not_told_now_is_no_other_ceph(house: Running) -> None:
    rook = house.home.kube.objects().rook[0]
    rook.cluster = replace(rook.cluster, fsid="")
    assert see(house).evidence == ("Ceph rook-ceph/rook-ceph: its fsid is not told now",)
    known = known_inventory(house.house)
    write(house)
    after = known_inventory(house.house)
    assert known is not None and known.cluster is not None and after is not None and after.cluster is not None
    assert after.cluster.ceph == known.cluster.ceph and after.cluster.ceph[0].fsid, "the id of the day it was told stays"


def test_another_image_is_told_for_new_machines_would_be_made_of_the_old_one(house: Running) -> None:
    known = known_inventory(house.house)
    assert known is not None and known.image is not None
    old = replace(known, image=replace(known.image, url="https://factory.lan/old.raw.xz"))
    write_inventory(inventory_path(house.house), old)
    assert see(house).evidence == ("the image: another than in the settings",)
    write_inventory(inventory_path(house.house), replace(known, image=None))
    assert see(house).evidence == ("the image: never written down",)


def test_where_the_volume_of_a_claim_that_waits_lay_is_never_written_away(house: Running) -> None:
    """After a loss the file is the only one who knows; once the claim has a volume, that one is what is known."""
    objects, before = house.home.kube.objects(), known_inventory(house.house)
    assert before is not None and before.cluster is not None
    claim = objects.claims.pop(("apps", "notes"))
    house.home.act("x").hold.put(replace(house.home.look().hold.record().claims[0], state=HoldState.HELD))
    assert see(house).condition is Condition.SATISFIED, see(house).evidence
    write(house)
    after = known_inventory(house.house)
    assert after is not None and after.cluster is not None
    assert after.cluster.volumes == before.cluster.volumes
    claim.volume = "pvc-new"
    objects.claims[("apps", "notes")] = claim
    write(house)
    after = known_inventory(house.house)
    assert after is not None and after.cluster is not None
    assert [one.name for one in after.cluster.volumes if one.claim == "apps/notes"] == ["pvc-new"]


def test_a_volume_of_a_claim_that_nobody_waits_for_is_gone(house: Running) -> None:
    objects = house.home.kube.objects()
    del objects.claims[("apps", "notes")]
    assert any(line.endswith(": gone") for line in see(house).evidence)


class TestCephMadeAnew:
    """Rook rebuilt in the namespace of before is another Ceph: what lay on the old one does not lie on it."""

    @pytest.fixture
    def on_rook(self, house: Running) -> Running:
        objects, block = house.home.kube.objects(), classes()[0]
        objects.storage_classes[block.name] = block
        objects.claims[("apps", "notes")].storage_class = block.name
        write(house)
        return house

    def volumes(self, house: Running) -> dict[str, str]:
        known = known_inventory(house.house)
        assert known is not None and known.cluster is not None
        return {one.name: ceph_of(one, known) for one in known.cluster.volumes}

    def lost_and_anew(self, house: Running, fsid: str) -> None:
        """Its claim waits, held, and the Rook that is there now has this fsid ("": it does not say one yet)."""
        objects = house.home.kube.objects()
        del objects.claims[("apps", "notes")]
        house.home.act("x").hold.put(replace(house.home.look().hold.record().claims[0], state=HoldState.HELD))
        objects.rook[0].cluster = replace(objects.rook[0].cluster, fsid=fsid)

    @pytest.mark.parametrize("fsid", ["00000000-0000-4000-8000-00000000000b", ""])
    def test_an_inventory_that_is_taken_again_gives_no_old_volume_to_the_new_ceph(self, on_rook: Running, fsid: str) -> None:
        before = self.volumes(on_rook)
        assert FSID in before.values()
        self.lost_and_anew(on_rook, fsid)
        write(on_rook)
        assert self.volumes(on_rook) == before

    def test_nor_does_one_of_a_file_that_does_not_have_it_on_each_volume(self, on_rook: Running) -> None:
        known = known_inventory(on_rook.house)
        assert known is not None and known.cluster is not None
        old = tuple(replace(one, fsid="") for one in known.cluster.volumes)
        write_inventory(inventory_path(on_rook.house), replace(known, cluster=replace(known.cluster, volumes=old)))
        (line,) = see(on_rook).evidence
        assert line.endswith("on which Ceph it lies was not written down")
        before = self.volumes(on_rook)
        self.lost_and_anew(on_rook, "00000000-0000-4000-8000-00000000000b")
        write(on_rook)
        assert self.volumes(on_rook) == before

    def test_a_volume_of_the_new_one_is_told_to_be_there(self, on_rook: Running) -> None:
        rook = on_rook.home.kube.objects().rook[0]
        rook.cluster = replace(rook.cluster, fsid="00000000-0000-4000-8000-00000000000b")
        assert any(line.endswith("on another Ceph, 00000000-0000-4000-8000-00000000000b") for line in see(on_rook).evidence)
        write(on_rook)
        assert see(on_rook).condition is Condition.SATISFIED

    def test_while_it_does_not_say_its_id_a_volume_is_not_on_another_one(self, on_rook: Running) -> None:
        rook = on_rook.home.kube.objects().rook[0]
        rook.cluster = replace(rook.cluster, fsid="")
        assert see(on_rook).evidence == ("Ceph rook-ceph/rook-ceph: its fsid is not told now",)
        write(on_rook)
        assert FSID in self.volumes(on_rook).values()
