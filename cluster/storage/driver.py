"""A CSI driver by itself: whether the nodes have it, and whether anybody makes its volumes. What they are made on says the folder
of its system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from adapters.csi.results import CsiLook, Role, secrets_of
from adapters.kubernetes.results import StorageClass
from cluster.storage.findings import Finding, Weight, fine, yet_to_come
from engine.text.ages import older, to_come

SILENT_S = 300.0
"""The Lease of a sidecar that lives is renewed every five seconds or so; what began again after a power cut takes a minute."""
_NO_ATTACHER = frozenset({"nfs.csi.k8s.io", "smb.csi.k8s.io", "zfs.csi.openebs.io", "local.csi.openebs.io"})
_WITHOUT: Mapping[Role, str] = MappingProxyType({
    Role.PROVISIONER: "no volume of it is made: a claim stays Pending",
    Role.ATTACHER: "no volume of it comes to a node: pods wait",
    Role.SNAPSHOTTER: "no snapshot of it is made, which backups and restores of VolSync are made of",
})  # fmt: skip


def of_driver(look: CsiLook, of: StorageClass, now: float) -> Iterator[Finding]:
    """Without it on a node no pod there gets a volume of it; without it anywhere none is made. `now`: epoch seconds."""
    name = of.provisioner
    found = look.driver(name)
    command = "kubectl get csinodes -o yaml"
    away = sorted(set(look.nodes) - set(found.nodes))
    if not found.nodes:
        hint = "look why its pods do not run: a claim that is restored now stays Pending"
        yield Finding("driver", Weight.BLOCKS, f"{name} is on no node", hint=hint, command=command)
        return  # what is missing besides comes from the same
    if away:
        yield Finding("driver", Weight.NOTED, f"{name} is not on {', '.join(away[:5])}", command=command)
    else:
        yield fine("driver", f"{name} is on every node")
    if name in _NO_ATTACHER and name not in look.registered:
        told = f"{name} has no CSIDriver object: each volume waits for an attacher, which this driver has not"
        see = f"kubectl get csidriver {name}"
        yield Finding("driver", Weight.BLOCKS, told, hint="its chart or manifests bring it", command=see)
    for role in Role:
        yield from _of_sidecar(look, name, role, now)
    yield from _of_secrets(look, of)


def _of_sidecar(look: CsiLook, driver: str, role: Role, now: float) -> Iterator[Finding]:
    """Of one that runs under no Lease nothing is known, and nothing is said."""
    found = look.sidecar(driver, role)
    if found is None:
        return
    hint, command = f"look at the pods of {driver}'s controller", "kubectl get leases -A"
    if not found.holder:
        told = f"nobody is {driver}'s {role.value} (its Lease has no holder): {_WITHOUT[role]}"
        yield Finding(role.value, Weight.BLOCKS, told, since=found.renewed, hint=hint, command=command)
    elif found.renewed is None:
        told = f"the Lease of {driver}'s {role.value} says not when it was renewed"
        yield Finding(role.value, Weight.UNKNOWN, told, hint=hint, command=command)
    elif to_come(found.renewed, now):
        yield yet_to_come(role.value, f"the last renewal of {driver}'s Lease", found.renewed)
    elif older(found.renewed, now, SILENT_S):
        told = f"{driver}'s {role.value} has not renewed its Lease: {_WITHOUT[role]}"
        yield Finding(role.value, Weight.BLOCKS, told, since=found.renewed, hint=hint, command=command)


def _of_secrets(look: CsiLook, of: StorageClass) -> Iterator[Finding]:
    """What the driver logs in with; it is in no backup of a cluster but Git's own."""
    for secret in secrets_of(of):
        space, _, name = secret.partition("/")
        command = f"kubectl -n {space} get secret {name}"
        if secret in look.lacking:
            told = f"{secret}, which class {of.name} names, is not there: its volumes are neither made nor mounted"
            yield Finding("secret", Weight.BLOCKS, told, hint="put it back from Git or the vault", command=command)
        elif secret in look.unseen:
            told = f"whether {secret}, which class {of.name} names, is there may not be asked"
            yield Finding("secret", Weight.UNKNOWN, told, command=command)
