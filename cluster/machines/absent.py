"""Nodes that cannot be there: their Proxmox host is off. What asks every node excuses these, and names them. Knows no step."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.ports import ClusterView, ProxmoxView, TalosView
from cluster.machines.vms import dark_metal
from engine.errors import BlackstartError
from house.model import House, Node


def absent_nodes(proxmox: ProxmoxView, house: House) -> tuple[Node, ...]:
    """Nodes whose host the quorate rest of the Proxmox cluster calls offline. A Proxmox that cannot be asked excuses nobody."""
    try:
        cluster = proxmox.cluster()
    except BlackstartError:
        return ()
    return tuple(node for node in house.vms if cluster.quorate and node.host in cluster.offline)


def unlit(talos: TalosView, house: House) -> tuple[Node, ...]:
    """Workers of metal that do not answer: off, as far as anybody here can tell. A control plane that is silent excuses nobody."""
    return dark_metal(talos, (node for node in house.metal if not node.control_plane))


def never_made(proxmox: ProxmoxView, house: House) -> frozenset[str]:
    """Names of the absent nodes that Proxmox has no VM of, not even on the dead host: they have no data anywhere."""
    absent = absent_nodes(proxmox, house)
    if not absent:
        return frozenset()
    there = {vm.vm_id for vm in proxmox.vms()}
    return frozenset(node.name for node in absent if node.vm_id not in there)


def silent_servers(proxmox: ProxmoxView, cluster: ClusterView, house: House) -> frozenset[str]:
    """Addresses of control planes that are absent and whose API server does not answer either. Where one answers, it counts."""
    absent = {node.address for node in absent_nodes(proxmox, house) if node.control_plane}
    if not absent:
        return frozenset()
    return frozenset(absent - {server.address for server in cluster.api_servers() if server.ready})


def first_present(proxmox: ProxmoxView, house: House) -> Node:
    """The node that etcd is bootstrapped on and the kubeconfig comes from: the fixed one, or the next whose host is there."""
    absent = absent_nodes(proxmox, house)
    return next((node for node in house.control_planes if node not in absent), house.bootstrap_node)


def left_out(names: Iterable[str], unlit: Iterable[str] = ()) -> str:
    """The words for a row that is satisfied without these; `unlit` are of metal, and do not answer."""
    parts = ((", ".join(sorted(names)), "whose host is offline"), (", ".join(sorted(unlit)), "which does not answer"))
    return "".join(f"; without {told}, {why}" for told, why in parts if told)
