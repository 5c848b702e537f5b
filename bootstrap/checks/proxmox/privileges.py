"""Whether the API token may do what the steps will ask, privilege by privilege, before the first of them asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.proxmox.reserving import PRIVILEGES, pool_of
from cluster.machines.differing import storages_of
from cluster.machines.images import hosts_of
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import House
from house.values.hardware import UNSAID

VM_PRIVILEGES = (
    "VM.Allocate", "VM.Audit", "VM.PowerMgmt", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory",
    "VM.Config.Network", "VM.Config.Options", "VM.Config.HWType",
)  # fmt: skip


@dataclass(frozen=True)
class OnlyReserving(Identity):
    """The token that lacks nothing but what it takes to reserve the hosts."""

    token: str

    def __str__(self) -> str:
        return self.token


def allowing(token: str) -> str:
    """The commands that let this token reserve hosts. On `/pool`, for what is said of one pool goes when that is deleted."""
    return " && ".join(_role(token, "BlackstartReserve", PRIVILEGES, ("/pool",)))


def granting(token: str, lacking: Sequence[str], wanted: Iterable[tuple[str, str]]) -> str:
    """The commands that give this token what it lacks, as `PATH: PRIVILEGE`: a role for each part of Proxmox, with all that is
    `wanted` there, for what is said of a path takes away what was inherited from above. VMs and hosts are allowed as a whole,
    for their ids change; a user needs with privilege separation what the token does."""
    paths: dict[str, dict[str, None]] = {}
    for line in lacking:
        path = line.partition(": ")[0]
        part = _part(path)
        paths.setdefault(part, {})[f"/{part}" if part in ("vms", "nodes") else path] = None
    roles: dict[str, dict[str, None]] = {}
    for path, privilege in wanted:
        roles.setdefault(_part(path), {})[privilege] = None
    return " && ".join(
        command
        for part, of_it in paths.items()
        for command in _role(token, f"Blackstart{part.capitalize() or 'Top'}", roles[part], of_it)
    )


def _part(path: str) -> str:
    """`vms` of `/vms/100`, "" of `/`."""
    return path.split("/")[1]


def _role(token: str, role: str, privileges: Iterable[str], paths: Iterable[str]) -> Iterator[str]:
    """The commands that make a role, or give it more where it was made before, and give it to the token on these paths."""
    privs = f"--privs '{' '.join(privileges)}'"
    yield f"{{ pveum role add {role} {privs} || pveum role modify {role} --append 1 {privs}; }}"
    for path in paths:
        yield f"pveum acl modify {path} --roles {role} --users {token.partition('!')[0]} --tokens '{token}'"


@dataclass(frozen=True)
class Privileges(BaseCheck):
    """Every privilege on every path that a run touches. First of all: any token may ask for its own, and a look needs some too."""

    house: House
    id = StepId("preflight.privileges")
    title = "the Proxmox token's privileges suffice"

    def wanted(self) -> tuple[tuple[str, str], ...]:
        """(path, privilege) pairs, as the API checks them per VM, per storage, and for download-url on the node."""
        pairs = [("/", "Sys.Audit")]  # to see who is in the cluster
        pairs += [(f"/vms/{node.vm_id}", p) for node in self.house.vms for p in VM_PRIVILEGES]
        storages = {name for node in self.house.vms for name in storages_of(node)}
        pairs += [(f"/storage/{name}", p) for name in sorted(storages) for p in ("Datastore.AllocateSpace", "Datastore.Audit")]
        for image in self.house.images:
            fetched = ("Datastore.AllocateTemplate",) if image.url else ()  # else a person puts it there
            pairs += [(f"/storage/{image.storage}", p) for p in (*fetched, "Datastore.Audit")]
        pairs += [(f"/vms/{node.vm_id}", "VM.Config.CDROM") for node in self.house.vms if self.house.image_of(node).iso]
        fetching = {host for image in self.house.images if image.url for host in hosts_of(self.house, image)}
        for host in sorted({node.host for node in self.house.vms}):
            pairs += [(f"/nodes/{host}", p) for p in ("Sys.Audit", *(["Sys.AccessNetwork"] if host in fetching else []))]
        bridges = {name for node in self.house.vms for name in (node.bridge, *(card.bridge for card in node.hardware.cards))}
        pairs += [(f"/sdn/zones/localnetwork/{bridge}", "SDN.Use") for bridge in sorted(bridges)]
        for node in self.house.vms:
            pairs += [(f"/mapping/pci/{one.mapping}", "Mapping.Use") for one in node.hardware.pci]
            pairs += [(f"/mapping/usb/{one.mapping}", "Mapping.Use") for one in node.hardware.usb]
            pairs += [("/", "Sys.Modify")] if node.hardware.start != UNSAID.start else []
        return tuple(dict.fromkeys(pairs))

    def severity_of(self, seen: Probe) -> Severity:
        """A house whose token may do all but reserve the hosts must still be built: nobody else may be there at all."""
        return Severity.ADVISORY if isinstance(seen.identity, OnlyReserving) else self.severity

    def probe(self, look: LookContext) -> Probe:
        reserving = [(f"/pool/{pool_of(self.house.id)}", each) for each in PRIVILEGES]
        token = self.house.proxmox.token_id
        wanted = self.wanted()
        if lacking := look.proxmox.missing_privileges(wanted):
            hint = f"on any Proxmox host: {granting(token, lacking, wanted)}"
            return missing(f"the token {token} lacks {number(len(lacking), 'privilege')}", *lacking, hint=hint)
        if lacking := look.proxmox.missing_privileges(reserving):
            return missing(
                f"the token {token} may not reserve the hosts: until there is a cluster nothing keeps another machine out",
                *lacking, hint=f"on any Proxmox host: {allowing(token)}", identity=OnlyReserving(token),
            )  # fmt: skip
        return satisfied("every privilege is there")

    def by_hand(self) -> str:
        token = self.house.proxmox.token_id.replace("!", " ")
        return f"pveum user token permissions {token}   # on any Proxmox host"


def check(house: House) -> Privileges:
    """The check of this house."""
    return Privileges(house)
