"""Whether the versions fit each other: Proxmox, Talos, Kubernetes, and the talosctl that will talk to the nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from house.model import House
from house.repository.versions import known
from talos import versions

# The first release whose storages take a disk image by `download-url` with content type `import`.
_PROXMOX = (8, 4)


@dataclass(frozen=True)
class Versions(BaseCheck):
    """All fit. Advisory where the house's Talos is newer than what this version of Blackstart has a table for."""

    house: House
    id = StepId("preflight.versions")
    title = "versions fit each other"
    needs = ("preflight.privileges",)  # a Proxmox that cannot be asked is one problem, not one for each who asks

    @property
    def severity(self) -> Severity:
        return Severity.BLOCKING if known(self.house.cluster.talos_version) else Severity.ADVISORY

    def probe(self, look: LookContext) -> Probe:
        cluster = self.house.cluster
        proxmox, talosctl = look.proxmox.cluster().version, look.talos.client_version()
        release = re.match(r"(\d+)\.(\d+)", proxmox)
        if release is None:
            return unknown(f"Proxmox does not tell its version: {proxmox or 'no text'}")
        found = versions.fit(cluster.talos_version, cluster.kubernetes_version, talosctl)
        problems = list(found.problems)
        if (int(release[1]), int(release[2])) < _PROXMOX:
            problems.insert(0, f"Proxmox {proxmox} cannot fetch a disk image by itself; 8.4 or newer can")
        if problems or found.unjudged:
            return drifted("; ".join((*problems, *found.unjudged)), str(cluster.talconfig))
        told = f"Proxmox {proxmox}, Talos {cluster.talos_version}, Kubernetes {cluster.kubernetes_version}"
        return satisfied("; ".join((f"{told}, talosctl {talosctl}", *found.remarks)))

    def by_hand(self) -> str:
        wanted = self.house.cluster.talos_version
        return f"talosctl version --client --short   # fits {wanted}, and so does what pveversion says on a Proxmox host"


def check(house: House) -> Versions:
    """The check of this house."""
    return Versions(house)
