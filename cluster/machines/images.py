"""Whether a host still has to get a Talos image. Knows no factory: it reads what the Proxmox port answers."""

from __future__ import annotations

from adapters.ports import ProxmoxView
from house.model import House, TalosImage


def has_image(proxmox: ProxmoxView, image: TalosImage, host: str) -> bool:
    """Whether the image's file is on its storage, as this host sees it."""
    return any(volume.volume == image.volume for volume in proxmox.images(host, image.storage))


def put_there(image: TalosImage, host: str) -> str:
    """What a person does who has to put the image there."""
    kind = "ISO Images" if image.iso else "Import"
    return f"put it there in the web page: {host} > {image.storage} > {kind} > Upload, {image.filename}"


def hosts_of(house: House, image: TalosImage) -> tuple[str, ...]:
    """The Proxmox hosts of the VMs that are made of this image, in order."""
    return tuple(sorted({node.host for node in house.vms if house.image_of(node) == image}))


def to_be_made(proxmox: ProxmoxView, house: House, image: TalosImage, host: str) -> tuple[str, ...]:
    """Names of the nodes on this host that are made of this image and whose VM is not there yet, under whatever owner."""
    there = {vm.vm_id for vm in proxmox.vms()}
    return tuple(n.name for n in house.vms if n.host == host and house.image_of(n) == image and n.vm_id not in there)


def said_in(house: House, image: TalosImage) -> tuple[str, ...]:
    """The path in the settings of the section that says which image it is; of one that several nodes have, the first's."""
    if not image.label:
        return ("image",)
    return ("nodes", next(node.name for node in house.vms if house.image_of(node) == image), "image")


def pinned_at(house: House, image: TalosImage) -> str:
    """That section, for a person."""
    return ".".join(said_in(house, image))


def image_step(image: TalosImage, host: str) -> str:
    """What the step is called after that puts the image on this host."""
    return f"{host}.{image.label}" if image.label else host
