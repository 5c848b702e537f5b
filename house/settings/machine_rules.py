"""Rules within what the settings say of one VM's hardware, its own or of node_defaults. Works on the settings as written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from house.files.problems import Steps
from house.files.shapes import mapping, sequence

_Wrong = tuple[Steps, str, str]


def machine_problems(name: str, node: dict[str, Any], defaults: dict[str, Any], macs: dict[str, str]) -> Iterator[_Wrong]:
    """What Proxmox would refuse or leave out. `macs` are those that nodes have already, with their nodes; this one's are added."""

    def said(key: str) -> tuple[Steps, Any]:
        own = node.get(key) is not None
        return (("nodes", name, key), node[key]) if own else (("node_defaults", key), defaults.get(key))

    where, sockets = said("sockets")
    cores = said("cores")[1]
    if isinstance(sockets, int) and isinstance(cores, int) and sockets > 0 and cores % sockets:
        yield where, f"does not divide the {cores} cores of {name}", "cores counts those of all sockets together"
    _, firmware = said("firmware")
    where, efi = said("efi")
    if firmware == "seabios" and efi is not None:
        yield where, f"is for UEFI, and {name} has firmware: seabios", "leave one of the two out"
    machine = str(said("machine")[1] or "")
    ported = machine != "pc" and "i440fx" not in machine
    where, devices = said("pci")
    for place, device in enumerate(sequence(devices)):
        if not ported and mapping(device).get("pcie", True):
            yield (*where, place), f"is on a PCIe port, which machine {machine} has none of", "write `pcie: false`, or machine: q35"
    where, cards = said("cards")
    for place, card in enumerate(sequence(cards)):
        mac = str(mapping(card).get("mac") or "").lower().replace("-", ":")
        if mac and macs.get(mac):
            better = "give each card its own; in node_defaults only one node could have it"
            yield (*where, place, "mac"), f"MAC {mac} is also that of {macs[mac]}", better
        elif mac:
            macs[mac] = name
