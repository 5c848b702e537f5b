"""What a replacement refuses, each with its own sentence: one table. Nothing is changed by any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from engine.plan import Planned
from house.model import DiskFate, Node
from lab.world.machines.etcd import MemberRecord
from lab.world.machines.machine import Port
from tests.hands import see
from tests.scenario.loss.test_replace_node import built as built
from tests.scenario.loss.test_replace_node import machine, off, replacing
from tests.scenario.running import Running

Arrange = Callable[[Running], None]


@dataclass(frozen=True)
class Refusal:
    """What is wrong with the house, and the sentence; `says` No or Wait. `hint` is a part of what to do about it."""

    name: str
    arrange: Arrange
    sentence: str
    hint: str
    node: str = "cp-2"
    says: Planned = Planned.REFUSED


def vm_of(house: Running, name: str = "cp-2") -> int:
    return house.house.node(name).vm_id


def change(house: Running, name: str, **changes: object) -> None:
    """The settings say something else of this node."""
    nodes = tuple(replace(n, **changes) if n.name == name else n for n in house.house.nodes)  # type: ignore[arg-type]  # its fields
    house.house = replace(house.house, nodes=nodes)


def no_quorum(house: Running) -> None:
    off(house, "cp-2", "cp-3", "w-1")


def only_with_it(house: Running) -> None:
    """The silent one's etcd is half of what is left."""
    off(house, "cp-3")
    silent(house)


def stands_still(house: Running) -> None:
    off(house, "cp-1", "cp-2", "cp-3")


def only_one(house: Running) -> None:
    off(house, "cp-1", "cp-2", "cp-3")
    one = house.house.node("cp-2")
    house.house = replace(house.house, nodes=(one, house.house.node("w-1")))


def never_built(house: Running) -> None:
    off(house, "cp-2")
    for name in ("cp-1", "cp-3"):
        house.home.talos.etcd.stop(machine(house, name))
        house.home.talos.etcd.wipe(machine(house, name))
        machine(house, name).services["etcd"].turn("Preparing", "Running pre state", house.clock.now())
        machine(house, name).etcd_busy = True


def host_off(house: Running) -> None:
    house.home.proxmox.host_down("pve-2")


def no_room_anywhere(house: Running) -> None:
    host_off(house)
    change(house, "cp-2", memory=1 << 50)


def silent(house: Running) -> None:
    """Its network is gone; the VM runs, and so does what is in it."""
    machine(house, "cp-2").port = Port.CLOSED


def half_broken(house: Running) -> None:
    there = machine(house, "cp-2").etcd_dir
    assert there is not None
    there.broken = "its disk is full"
    house.home.talos.etcd.stop(machine(house, "cp-2"))


def foreign(house: Running) -> None:
    """Another cluster's node took the address."""
    config = machine(house, "cp-2").config
    assert config is not None
    machine(house, "cp-2").config = replace(config, os_ca=replace(config.os_ca, crt="another"))


def joining(house: Running) -> None:
    off(house, "cp-2")
    (etcd,) = house.home.talos.etcd.clusters
    etcd.members[77] = MemberRecord(77, "", "https://127.10.0.99:2380", "", learner=True)


def stranger(house: Running) -> None:
    off(house, "w-1")
    (etcd,) = house.home.talos.etcd.clusters
    etcd.members[78] = MemberRecord(78, "cp-9", "https://127.10.0.99:2380", "", learner=False)


def locked(house: Running) -> None:
    off(house, "cp-2")
    house.home.proxmox.vms[vm_of(house)].lock = "backup"


def moved(house: Running) -> None:
    off(house, "cp-2")
    change(house, "cp-2", host="pve-1")


def passed(house: Running) -> None:
    off(house, "cp-2")
    house.home.proxmox.vms[vm_of(house)].options["hostpci0"] = "0000:01:00"


def kept(house: Running) -> None:
    off(house, "cp-2")
    disks = tuple(replace(disk, fate=DiskFate.KEEP) if not disk.system else disk for disk in house.house.node("cp-2").disks)
    change(house, "cp-2", disks=disks)


def one_more_disk(house: Running) -> None:
    off(house, "cp-2")
    change(house, "cp-2", disks=house.house.node("cp-2").disks[:1])


def still_ready(house: Running) -> None:
    """Off for Proxmox, and a machine of its name is alive for Kubernetes."""
    off(house, "cp-2")
    node: Node = house.house.node("w-1")
    other = house.home.talos.at(node.address)
    assert other.config is not None
    other.config = replace(other.config, hostname="cp-2")


REFUSALS = (
    Refusal("no majority", no_quorum, "etcd stands still: no member is healthy; no member can leave it or join it", "start the"),
    Refusal("its majority", only_with_it, "without cp-2 etcd has 1 of 3; it stands still, for it takes 2", "cluster.recover-etcd"),
    Refusal("all off", stands_still, "etcd stands still: no member is healthy", "cluster.recover-etcd"),
    Refusal("only one", only_one, "cp-2 is the only control plane: with it, etcd is gone", "cluster.recover-etcd"),
    Refusal("no etcd", never_built, "no other control plane has etcd data: there is nothing to join", "cluster.bootstrap"),
    Refusal("a worker without etcd", no_quorum, "etcd stands still: no member is healthy", "start the control planes", node="w-1"),
    Refusal("host off", host_off, "pve-2 is offline: nothing can be made on it, and VM 8002 there may come back", "host: pve-1"),
    Refusal("no room", no_room_anywhere, "pve-2 is offline: nothing can be made on it", "make room elsewhere"),
    Refusal("silent", silent, "VM 8002 runs and does not answer at 127.10.0.12: it may live", "qm stop 8002 on pve-2"),
    Refusal("broken", half_broken, "cp-2 answers, has etcd data, and its etcd is not healthy", "stop VM 8002"),
    Refusal("another's", foreign, "a node of another cluster answers at 127.10.0.12", "has the address of cp-2"),
    Refusal("joining", joining, "000000000000004d is joining etcd as a learner, and etcd takes one at a time", "until it votes"),
    Refusal("stranger", stranger, "etcd has members that are no control planes of this house: cp-9", "find out", node="w-1"),
    Refusal("locked", locked, "VM 8002 is locked: backup", "wait for what holds it"),
    Refusal("moved", moved, "VM 8002 is on pve-2, and the settings have it on pve-1", "blackstart.yaml"),
    Refusal("devices", passed, "VM 8002 has what the settings do not say, and a VM made anew would not have", "take it from"),
    Refusal("kept", kept, "VM 8002 has 1 disk that the settings want kept, and would take them along", "qm disk unlink 8002"),
    Refusal("one disk more", one_more_disk, "VM 8002 has 1 disk that the settings do not know", "qm disk unlink 8002"),
    Refusal("lives by its kubelet", still_ready, "Kubernetes says that cp-2 is Ready: it lives somewhere", "find the"),
)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_each_refusal_has_its_sentence_and_changes_nothing(built: Running, case: Refusal) -> None:
    case.arrange(built)
    seen = see(built, replacing(built, case.node), f"preflight.lost/{case.node}")
    assert case.sentence in seen.detail, seen
    assert case.hint in seen.hint, seen
    plan = built.plan(replacing(built, case.node))
    assert {line.id: line.verdict for line in plan.lines}[f"preflight.lost/{case.node}"] is case.says
    assert not [act for act in plan.acts if act.step.startswith("node.")]
