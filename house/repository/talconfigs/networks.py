"""Whether the networks of a talconfig can be: those of pods and Services, routes, VLANs, MTUs. Asks nobody.

Sources: what talhelper 3.1 and talosctl 1.13 refuse, Kubernetes' one network of each family, Talos' networks where none is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import TypeGuard

from house.files import grammar
from house.files.grammar import Address, Network, quoted
from house.files.problems import Steps
from house.files.shapes import mapping, sequence
from house.flux.placed import Placed
from house.repository.talconfigs.addressing import Addressed, each_interface

_NETS = {
    "clusterPodNets": ("pods", "10.244.0.0/16", "podSubnets"),
    "clusterSvcNets": ("Services", "10.96.0.0/12", "serviceSubnets"),
}
"""What each key speaks of, Talos' own network, and the word of a patch that names another."""
_LEAST_MTU, _MOST_MTU = 68, 65535
_MOST_VLAN = 4094


def check_networks(reader: Placed, nodes: Sequence[Addressed], vip: str, patches: str) -> None:
    """Tell what can't be, or is odd. `patches` is the text of all patches, which may name other networks."""
    nets = {key: [*_networks(reader, key)] for key in _NETS}
    _overlapping(reader, nets)
    machines = {grammar.address_of(text): f"{text} of {node.name}" for node in nodes for text in node.addresses}
    machines.setdefault(grammar.address_of(vip), f"the virtual address {vip}")
    for key, found in nets.items():
        if _NETS[key][2] not in patches:
            _holding(reader, key, found, machines)
    for node in nodes:
        for where, interface in each_interface(node):
            _interface(reader, where, interface)


def _networks(reader: Placed, key: str) -> Iterator[tuple[Steps, Network]]:
    """The networks that a key names, else Talos' own; what is none is told."""
    whose, usual, _ = _NETS[key]
    listed = sequence(mapping(reader.document.value).get(key))
    families: set[int] = set()
    for index, _ in enumerate(listed):
        where: Steps = (key, index)
        text = reader.text(where)
        network = grammar.network_of(text)
        if network is None:
            if text:
                reader.wrong(where, f"{quoted(text)} is not a network", f"write it with its prefix, as in {usual}")
            continue
        if network.version in families:
            what = f"is a second network of {whose} in IPv{network.version}, and Kubernetes takes one of each family"
            reader.wrong(where, what, "keep one of the two")
        elif network.with_prefixlen != text:
            reader.odd(where, f"{quoted(text)} is an address within {network}", f"write {network}, if that is meant")
        families.add(network.version)
        yield where, network
    if not listed:
        yield (key,), ip_network(usual)


def _overlapping(reader: Placed, nets: Mapping[str, list[tuple[Steps, Network]]]) -> None:
    value = mapping(reader.document.value)
    for where, pods in nets["clusterPodNets"]:
        for other, services in nets["clusterSvcNets"]:
            if pods.version == services.version and pods.overlaps(services):
                at = where if value.get("clusterPodNets") else other
                what = f"pods are in {pods} and Services in {services}: one address may be both"
                reader.odd(at, what, "give each a network of its own")


def _holding(reader: Placed, key: str, nets: list[tuple[Steps, Network]], machines: Mapping[Address | None, str]) -> None:
    whose = _NETS[key][0]
    for where, network in nets:
        within = [named for address, named in machines.items() if address is not None and address in network]
        if within:
            lie = f" and {len(within) - 1} more lie" if len(within) > 1 else " lies"
            at = where if len(where) > 1 else ("nodes",)
            what = f"{within[0]}{lie} in {network}, the network of {whose}, of which one may get the same address"
            reader.odd(at, what, f"name another one in {key}: from inside the machine is not reached then")


def _interface(reader: Placed, where: Steps, interface: Mapping[str, object]) -> None:
    mtu = interface.get("mtu")
    if _is_number(mtu) and mtu != 0 and not _LEAST_MTU <= mtu <= _MOST_MTU:
        reader.wrong((*where, "mtu"), f"is {mtu}, and no card takes that", f"write {_LEAST_MTU} to {_MOST_MTU}, as in 1500")
    seen: set[object] = set()
    for index, vlan in enumerate(sequence(interface.get("vlans"))):
        number, place = mapping(vlan).get("vlanId"), (*where, "vlans", index, "vlanId")
        if _is_number(number) and not 0 < number <= _MOST_VLAN:
            reader.wrong(place, f"is {number}, and no VLAN", f"write 1 to {_MOST_VLAN}")
        elif number is not None and number in seen:
            reader.wrong(place, f"VLAN {number} is there twice on this interface", "put all its addresses into one")
        seen.add(number if isinstance(number, int | str) else None)
    for index, route in enumerate(sequence(interface.get("routes"))):
        at: Steps = (*where, "routes", index, "network")
        text = reader.text(at) if mapping(route).get("network") is not None else ""
        if text and grammar.network_of(text) is None:
            better = "write it with its prefix, as in 0.0.0.0/0 for all others"
            reader.wrong(at, f"{quoted(text)} is not a network", better)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
