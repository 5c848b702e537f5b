"""Whether the addresses of a talconfig can be those of machines: nodes', interfaces', the virtual one, the endpoint. Asks nobody.

Sources: Talos' documentation of the virtual IP (control planes alone share it), talhelper's schema.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from house.files import grammar
from house.files.grammar import Address, Interface, quoted
from house.files.problems import Steps
from house.files.shapes import mapping, sequence
from house.flux.placed import Placed


@dataclass(frozen=True)
class Addressed:
    """A node by its name, and where in the document what it says of its network stands."""

    name: str
    control_plane: bool
    where: Steps
    addresses: tuple[str, ...]
    body: Any


def node_addresses(reader: Placed, where: Steps) -> tuple[str, ...]:
    """The addresses of a node, each as written; what is none is told."""
    found = []
    parts = reader.text((*where, "ipAddress"), "write the node's address, as in `ipAddress: 10.0.0.11`").split(",")
    if len(parts) > 1 and not all(map(str.strip, parts)):  # talhelper takes it for an address, and refuses the file
        reader.wrong((*where, "ipAddress"), "has a comma with no address beside it", "take the comma out")
    for text in parts:
        address = grammar.address_of(text.strip())
        if address is None and text.strip():
            reader.wrong((*where, "ipAddress"), f"{quoted(text.strip())} is not an address", "write it as in 10.0.0.11")
        elif address is not None and (why := grammar.unusable(address)):
            reader.wrong((*where, "ipAddress"), f"{quoted(text.strip())} {why}", "write the node's own, as in 10.0.0.11")
        if text.strip():
            found.append(text.strip())
    return tuple(found)


def check_addressing(reader: Placed, nodes: Sequence[Addressed], endpoint: str, patches: str) -> str:
    """Tell everything that can't be, or is odd, in the addresses of these nodes; answers the virtual address, "" for none.

    `patches` is the text of all patches, which may give a node any address.
    """
    owners = _owners(reader, nodes)
    for node in nodes:
        _subnets(reader, node, patches)
    vip = _virtual(reader, nodes, owners)
    _endpoint(reader, nodes, endpoint, vip)
    if not vip:
        _endpoint_of_nobody(reader, owners, endpoint, patches)
    return vip


def _owners(reader: Placed, nodes: Sequence[Addressed]) -> dict[Address, str]:
    """Whose each address is. One that two nodes have is told."""
    owners: dict[Address, str] = {}
    for node in nodes:
        own = [((*node.where, "ipAddress"), grammar.address_of(text)) for text in node.addresses]
        own += [(where, interface.ip) for where, interface in _interfaces(reader, node)]
        for where, address in own:
            if address is None:
                continue
            other = owners.setdefault(address, node.name)
            if other != node.name:
                reader.wrong(where, f"address {address} is also that of {other}", "give each node its own")
    return owners


def _interfaces(reader: Placed, node: Addressed, *, tell: bool = False) -> Iterator[tuple[Steps, Interface]]:
    """Every static address of a node with its prefix."""
    for where, interface in each_interface(node):
        for index, text in enumerate(sequence(interface.get("addresses"))):
            place: Steps = (*where, "addresses", index)
            filled = reader.text(place)
            if not filled and "${" in str(text):
                continue  # what it lacks was told
            written = filled or str(text)
            found = grammar.interface_of(written)
            if found is None:
                if tell:
                    reader.wrong(place, f"{quoted(written)} is not an address with a prefix", "write it as in 10.0.0.11/24")
                continue
            if tell and (why := grammar.unusable(found.ip)) and not found.ip.is_link_local:
                reader.wrong(place, f"{quoted(written)} {why}", "write the node's own, as in 10.0.0.11/24")
            elif tell and found.ip in _ends(found.network) and found.ip not in map(grammar.address_of, node.addresses):
                what = f"{found.ip} is the first or the last address of {found.network}, which no machine can have"
                reader.wrong(place, what, "give it another")
            elif tell and "/" not in written:
                what = f"{quoted(written)} has no prefix, and is alone in its network"
                reader.odd(place, what, "write it as in 10.0.0.11/24, or no router is reached from it")
            yield place, found


def each_interface(node: Addressed) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """The node's interfaces, and the VLANs on them."""
    for index, item in enumerate(sequence(mapping(node.body).get("networkInterfaces"))):
        where: Steps = (*node.where, "networkInterfaces", index)
        yield where, mapping(item)
        for number, vlan in enumerate(sequence(mapping(item).get("vlans"))):
            yield (*where, "vlans", number), mapping(vlan)


def _subnets(reader: Placed, node: Addressed, patches: str) -> None:
    """The node's address must be in a subnet that it has, unless another machine gives it one."""
    static = [found for _, found in _interfaces(reader, node, tell=True)]
    leased = any(interface.get("dhcp") is True for _, interface in each_interface(node))
    for text in node.addresses:
        address = grammar.address_of(text)
        near = [one.network for one in static if address is not None and one.version == address.version]
        if address is None or not near:
            continue
        holding = [network for network in near if address in network]
        if holding and not leased and address not in {one.ip for one in static} and str(address) not in patches:
            what = f"{address} is given to none of the node's interfaces, which have {', '.join(str(one.ip) for one in static)}"
            reader.odd((*node.where, "ipAddress"), what, "look whether something else gives it: else nobody is there")
        if not holding and not leased:
            told = ", ".join(map(str, near))
            reader.wrong((*node.where, "ipAddress"), f"{address} is outside of its own subnet {told}", "correct one of the two")
        for network in holding:
            if address in _ends(network):
                what = f"{address} is the first or the last address of {network}, which no machine can have"
                reader.wrong((*node.where, "ipAddress"), what, "give it another")
    for where, interface in each_interface(node):
        for number, _ in enumerate(sequence(interface.get("routes"))):
            _gateway(reader, (*where, "routes", number, "gateway"), static)


def _gateway(reader: Placed, where: Steps, static: Sequence[Interface]) -> None:
    text = reader.text(where)
    gateway = grammar.address_of(text)
    if gateway is None:
        if text:
            reader.wrong(where, f"{quoted(text)} is not an address", "name the router, as in 10.0.0.1")
        return
    near = [one.network for one in static if one.version == gateway.version]
    if near and not gateway.is_link_local and not any(gateway in network for network in near):
        what = f"gateway {gateway} is in none of the node's subnets ({', '.join(map(str, near))})"
        reader.odd(where, what, "look whether it can be reached")
    if gateway in {one.ip for one in static}:
        reader.wrong(where, f"{gateway} is the node itself", "name the router")


def _ends(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[Address, ...]:
    """Addresses of an IPv4 network that stand for all of it."""
    if network.version == 6 or network.prefixlen >= 31:
        return ()
    return network.network_address, network.broadcast_address


def _virtual(reader: Placed, nodes: Sequence[Addressed], owners: dict[Address, str]) -> str:
    """The virtual address: one, of control planes, nobody else's."""
    found: dict[Address, tuple[str, str]] = {}
    per_node: dict[str, list[Address]] = {}
    for name, control_plane, where, static in _places(reader, nodes):
        text = reader.text(where, "write the virtual address, as in `vip: {ip: 10.0.0.2}`")
        address = grammar.address_of(text)
        if address is None or (why := grammar.unusable(address)):
            if text:
                said = "is not an address" if address is None else why
                reader.wrong(where, f"{quoted(text)} {said}", "write the virtual address, as in 10.0.0.2")
            continue
        if not control_plane:
            if not any(node.control_plane for node in nodes):  # told as what it is: no control plane at all
                continue
            what = f"{name} is a worker, and the virtual address is shared by control planes"
            reader.wrong(where, what, "give it to every control plane, and to no worker")
            continue
        if address in owners:
            what = f"the virtual address {address} is that of {owners[address]}"
            reader.wrong(where, what, "give it an address that no node has")
        near = [one.network for one in static if one.version == address.version]
        if near and not any(address in network for network in near):
            what = f"the virtual address {address} is outside of the interface's subnet {', '.join(map(str, near))}"
            reader.odd(where, what, "look whether it can be reached")
        per_node.setdefault(name, []).append(address)
        found.setdefault(address, (text, name))
    _one_for_all(reader, nodes, per_node)
    return next((text for text, _ in found.values()), "")


def _one_for_all(reader: Placed, nodes: Sequence[Addressed], per_node: dict[str, list[Address]]) -> None:
    """Control planes that name different ones would each be alone with theirs."""
    first: tuple[str, list[Address]] | None = None
    for node in nodes:
        named = per_node.get(node.name)
        if named is None:
            continue
        if first is None:
            first = (node.name, named)
            if len(set(named)) > 1:
                what = f"{node.name} names several virtual addresses, {', '.join(map(str, named))}"
                reader.odd((*node.where, "networkInterfaces"), what, "the first is taken for the API's")
        elif set(named) != set(first[1]):
            what = f"{node.name} names the virtual address {', '.join(map(str, named))}, {first[0]} {', '.join(map(str, first[1]))}"
            reader.wrong((*node.where, "networkInterfaces"), what, "name one, in every control plane")


def _places(reader: Placed, nodes: Sequence[Addressed]) -> Iterator[tuple[str, bool, Steps, list[Interface]]]:
    """Every `vip` section: whose it is, whether a control plane's, where its address stands, and its interface's static ones."""
    whole = mapping(reader.document.value)
    shared = [
        Addressed(part, part == "controlPlane", (part,), (), whole.get(part))
        for part in ("controlPlane", "worker") if isinstance(whole.get(part), dict)
    ]  # fmt: skip
    for node in (*shared, *nodes):
        for where, interface in each_interface(node):
            if interface.get("vip") is not None:
                static = [found for place, found in _interfaces(reader, node) if place[: len(where)] == where]
                yield node.name, node.control_plane, (*where, "vip", "ip"), static


def _endpoint(reader: Placed, nodes: Sequence[Addressed], endpoint: str, vip: str) -> None:
    """The endpoint must be one, and lead to a control plane."""
    wrong = grammar.endpoint_wrong(endpoint) if endpoint else None
    if wrong is not None:
        reader.wrong(("endpoint",), *wrong)
        return
    parts = grammar.url_parts(endpoint) if endpoint else None
    address = grammar.address_of(parts.hostname or "") if parts is not None else None
    if address is None:
        return
    if why := grammar.unusable(address):
        reader.wrong(("endpoint",), f"{address} {why}", "name the virtual address or a control plane's")
    for node in nodes:
        if not node.control_plane and address in map(grammar.address_of, node.addresses):
            better = "name the virtual address or a control plane's"
            reader.wrong(("endpoint",), f"{address} is that of {node.name}, which is a worker", better)
    if vip and address != grammar.address_of(vip):
        better = f"look whether it leads to the control planes, or write https://{vip}:{grammar.port_of(parts) if parts else 6443}"
        reader.odd(("endpoint",), f"{address} is not the virtual address {vip}", better)


def _endpoint_of_nobody(reader: Placed, owners: Mapping[Address, str], endpoint: str, patches: str) -> None:
    """Where nothing says what an address is, no node is reached by it unless something outside of talconfig leads there."""
    parts = grammar.url_parts(endpoint) if endpoint and grammar.endpoint_wrong(endpoint) is None else None
    address = grammar.address_of(parts.hostname or "") if parts is not None else None
    if address is None or grammar.unusable(address) or address in owners:
        return
    if re.search(rf"(?<![\w.]){re.escape(str(address))}(?!\w|\.\w)", patches):
        return
    better = "look whether a load balancer or kube-vip leads from it to the control planes, or name an address of theirs"
    reader.odd(("endpoint",), f"{address} is no node's, and no virtual address that talconfig or a patch gives", better)
