"""Machines as people have them, through a whole run: made as the settings say, adopted as they are, told where they have more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import EXIT_DRIFT, EXIT_HELD
from house.model import House
from house.values.hardware import Card, Hardware, Passthrough
from lab.world.pve.access import everything
from tests.builders import a_house
from tests.scenario.running import Running

RICH = Hardware(
    cpu="host", sockets=2, numa=True, tpm="local-lvm", card=Card(vlan=20, mtu=9000), tags=("k8s",), start=(3, 30, -1),
    pci=(Passthrough("gpu", (("pcie", "1"),)),), usb=(Passthrough("zigbee"),), pool="kubernetes",
)  # fmt: skip


def with_hardware(wanted: Hardware, slot: str = "scsi") -> House:
    house = a_house()
    nodes = tuple(
        replace(
            node, hardware=wanted, install_disk=f"/dev/{'vd' if slot == 'virtio' else 'sd'}a",
            disks=tuple(replace(disk, slot=f"{slot}{place}") for place, disk in enumerate(node.disks)),
        )
        for node in house.nodes
    )  # fmt: skip
    return replace(house, nodes=nodes)


def built(folder: Path, house: House) -> Running:
    made = Running(folder, house)
    made.backed_up()
    report = made.apply(made.bootstrap)
    assert report.exit_code == EXIT_HELD, report.root_causes
    return made


@pytest.mark.parametrize("slot", ["scsi", "virtio"])
def test_a_house_of_such_machines_is_built_and_has_no_drift(slot: str, tmp_path: Path) -> None:
    house = built(tmp_path, with_hardware(RICH, slot))
    config = house.home.proxmox.vms[8001].config()
    assert (config["cpu"], config["hostpci0"], config["startup"]) == ("host", "mapping=gpu,pcie=1", "order=3,up=30")
    assert str(config["net0"]).endswith("mtu=9000,tag=20")
    report = house.verify(house.bootstrap)
    assert report.exit_code == EXIT_HELD, report.root_causes
    assert not house.plan(house.bootstrap).changes


def test_an_adopted_vm_that_has_more_is_told_with_the_lines_and_stops_nothing(tmp_path: Path) -> None:
    house = built(tmp_path, with_hardware(RICH))
    house.home.proxmox.vms[8002].options["args"] = "-device nvme"
    house.home.proxmox.vms[8002].ha = "started"
    house.house = replace(house.house, nodes=a_house().nodes)
    assert house.apply(house.bootstrap).exit_code == EXIT_HELD
    report = house.verify(house.bootstrap)
    assert (report.exit_code, [step.id for step in report.root_causes]) == (EXIT_DRIFT, ["proxmox.machines"])
    told = report["proxmox.machines"].evidence
    for line in ("cp-1: add `cpu: host`", "cp-1: add `vlan: 20`", "cp-1: add `pci: [{mapping: gpu}]`", "w-1: add `tpm: local-lvm`"):
        assert line in told
    assert [line.partition(" (")[0] for line in told if "by hand" in line] == ["cp-2: by hand, args", "cp-2: by hand, HA, started"]


def test_what_the_settings_say_and_an_adopted_vm_is_not_is_a_persons_to_decide(tmp_path: Path) -> None:
    house = built(tmp_path, a_house())
    wanted = tuple(replace(node, hardware=Hardware(cpu="host")) for node in house.house.nodes[:1])
    house.house = replace(house.house, nodes=(*wanted, *house.house.nodes[1:]))
    report = house.verify(house.bootstrap)
    assert [step.id for step in report.root_causes] == ["proxmox.create-vm/cp-1"]
    assert report["proxmox.create-vm/cp-1"].evidence == ("cpu",)


def test_a_token_without_the_rights_for_a_mapping_is_told_the_commands(tmp_path: Path) -> None:
    house = Running(tmp_path, with_hardware(RICH))
    house.backed_up()
    token = house.home.proxmox.access.tokens[house.house.proxmox.token_id]
    token.rights.clear()
    some = everything()["/"] - {"Mapping.Use", "Sys.Modify"}
    token.rights["/"] = some
    report = house.apply(house.bootstrap)
    (refused,) = report.root_causes
    assert refused.id == "preflight.privileges"
    assert {"/: Sys.Modify", "/mapping/pci/gpu: Mapping.Use", "/mapping/usb/zigbee: Mapping.Use"} <= set(refused.evidence)
    assert refused.error is not None
    assert "pveum role add BlackstartMapping --privs 'Mapping.Use'" in refused.error.hint
    assert "pveum acl modify /mapping/pci/gpu --roles BlackstartMapping --users blackstart@pve" in refused.error.hint
