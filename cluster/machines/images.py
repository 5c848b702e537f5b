"""Whether a host still has to get the Talos image. Knows no factory: it reads what the Proxmox port answers."""

from __future__ import annotations

from adapters.ports import ProxmoxView
from house.model import House


def has_image(proxmox: ProxmoxView, house: House, host: str) -> bool:
    """Whether the image's file is on its storage, as this host sees it."""
    stored = proxmox.images(host, house.image.storage)
    return any(volume.volume == house.image.volume for volume in stored)


def put_there(house: House, host: str) -> str:
    """What a person does who has to put the image there."""
    image, kind = house.image, "ISO Images" if house.image.iso else "Import"
    return f"put it there in the web page: {host} > {image.storage} > {kind} > Upload, {image.filename}"


def to_be_made(proxmox: ProxmoxView, house: House, host: str) -> tuple[str, ...]:
    """Names of the nodes on this host whose VM is not there yet, under whatever owner: only those are imported from the image."""
    there = {vm.vm_id for vm in proxmox.vms()}
    return tuple(node.name for node in house.nodes if node.host == host and node.vm_id not in there)
