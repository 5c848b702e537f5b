"""Whether the API token may do what the steps will ask, privilege by privilege, before the first of them asks."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.words import number
from house.model import House

VM_PRIVILEGES = (
    "VM.Allocate", "VM.Audit", "VM.PowerMgmt", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory",
    "VM.Config.Network", "VM.Config.Options", "VM.Config.HWType",
)  # fmt: skip


@dataclass(frozen=True)
class Privileges(BaseCheck):
    """Every privilege on every path that a run touches. First of all: any token may ask for its own, and a look needs some too."""

    house: House
    id = StepId("preflight.privileges")
    title = "the Proxmox token's privileges suffice"

    def wanted(self) -> tuple[tuple[str, str], ...]:
        """(path, privilege) pairs, as the API checks them per VM, per storage, and for download-url on the node."""
        pairs = [("/", "Sys.Audit")]  # to see who is in the cluster
        pairs += [(f"/vms/{node.vm_id}", p) for node in self.house.nodes for p in VM_PRIVILEGES]
        storages = {disk.storage for node in self.house.nodes for disk in node.disks}
        pairs += [(f"/storage/{name}", p) for name in sorted(storages) for p in ("Datastore.AllocateSpace", "Datastore.Audit")]
        image = self.house.image.storage
        pairs += [(f"/storage/{image}", p) for p in ("Datastore.AllocateTemplate", "Datastore.Audit")]
        hosts = sorted({node.host for node in self.house.nodes})
        pairs += [(f"/nodes/{host}", p) for host in hosts for p in ("Sys.Audit", "Sys.AccessNetwork")]
        bridges = sorted({(node.host, node.bridge) for node in self.house.nodes})
        pairs += [(f"/sdn/zones/localnetwork/{bridge}", "SDN.Use") for _, bridge in bridges]
        return tuple(dict.fromkeys(pairs))

    def probe(self, look: LookContext) -> Probe:
        lacking = look.proxmox.missing_privileges(self.wanted())
        if lacking:
            return missing(f"the token {self.house.proxmox.token_id} lacks {number(len(lacking), 'privilege')}", *lacking)
        return satisfied("every privilege is there")

    def by_hand(self) -> str:
        token = self.house.proxmox.token_id.replace("!", " ")
        return f"pveum user token permissions {token}   # on any Proxmox host"


def check(house: House) -> Privileges:
    """The check of this house."""
    return Privileges(house)
