"""The Proxmox cluster that a house's settings ask for, empty: hosts, storages, an API token, the image at its factory."""

from __future__ import annotations

from urllib.parse import urlsplit

from house.model import House
from lab.world.disks import GIB, LabStorage
from lab.world.images import make_qcow2
from lab.world.pve.access import LabToken, everything
from lab.world.pve.cluster import LabHost, LabProxmox
from lab.world.world import World

# Talos' nocloud image is a little over 4 GiB inside (measured on 1.13).
IMAGE_BYTES = 4 * GIB + 256 * (1 << 20)


def cluster_for(house: House, world: World, token_secret: str = "") -> LabProxmox:
    """One host per name that a node's VM is on, each with the bridges, `local` files and the nodes' disk storages, and its pools.

    The settings' API token exists with this secret and may do everything. Nobody publishes the image's checksum to the
    settings: publish_image answers it.
    """
    pve = LabProxmox(world)
    for name in sorted({node.host for node in house.vms}):
        bridges = {"vmbr0", *(node.bridge for node in house.nodes if node.host == name)}
        pve.add_host(LabHost(name, bridges=tuple(sorted(bridges))))
    names = tuple(pve.hosts)
    files = frozenset({"import", "iso", "vztmpl", "backup", "snippets"})
    pve.storages.add(LabStorage(house.image.storage, "dir", files, 200 * GIB), *names)
    for storage in sorted({disk.storage for node in house.nodes for disk in node.disks} - {house.image.storage}):
        pve.storages.add(LabStorage(storage, "lvmthin", frozenset({"images", "rootdir"}), 800 * GIB), *names)
    # A pool that is not there would refuse a VM that is to be in it: whoever names one has made it.
    pve.pools.comments |= {node.hardware.pool: "" for node in house.nodes if node.hardware.pool}
    pve.access.add_token(LabToken(house.proxmox.token_id, token_secret, rights=everything()))
    return pve


DOCUMENTED = frozenset({
    "VM.Allocate", "VM.Audit", "VM.PowerMgmt", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network",
    "VM.Config.Options", "VM.Config.HWType", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit",
    "Sys.Audit", "Sys.AccessNetwork", "SDN.Use", "Pool.Allocate", "Pool.Audit",
})  # fmt: skip
"""The privileges of the role that SECURITY.md makes, and no other."""


def without_favours(pve: LabProxmox, token_id: str) -> None:
    """As Proxmox and the public Image Factory come: `local` takes no images to import, the token may do what is documented and no
    more, and nobody publishes a checksum."""
    for host in pve.hosts:
        for storage in pve.storages.of(host):
            storage.content -= {"import"}
    pve.access.roles["Blackstart"] = DOCUMENTED
    token = pve.access.tokens[token_id]
    token.rights = {"/": DOCUMENTED}
    pve.access.users[token.user].rights = {"/": DOCUMENTED}
    pve.images.checksums = False


def publish_image(pve: LabProxmox, url: str) -> str:
    """Put an image at this URL's path of the lab's Image Factory, filled by its URL; answers its SHA-256 in hex."""
    return pve.images.publish(urlsplit(url).path, make_qcow2(IMAGE_BYTES, url.encode()))
