"""The named faults of a running house: how each begins and ends there, and the rows of `cluster.verify` that turn red meanwhile."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl

BACKUP = "preflight.backup/selfhosted/notes"
CHARTS = tuple(
    f"preflight.chart/{release}"
    for release in ("flux-system/flux-instance", "flux-system/flux-operator", "kube-system/cilium", "kube-system/coredns")
)
DEADLY = ("host-down", "vm-off")
Lift = Callable[[Bench], object]


def built(bench: Bench) -> None:
    """Build the house, with a backup that its lock file knows; the store as it was lies in `store-before`."""
    assert bench.run("dr.audit", "--lock").code == 0
    bench.converge("cluster.bootstrap")
    shutil.copytree(bench.folder.root / "store", bench.folder.root / "store-before")


def store_back(bench: Bench) -> None:
    """The store as it was before."""
    for name in ("buckets", "phrases", "uploads"):
        shutil.rmtree(bench.folder.root / "store" / name)
        shutil.copytree(bench.folder.root / "store-before" / name, bench.folder.root / "store" / name)


def on_again(bench: Bench) -> None:
    """The host has power again, and its VM comes back to the cluster."""
    bench.ask("trouble", name="host-down", target="pve-4", end=True)
    mended(bench)


def mended(bench: Bench) -> None:
    """The next bootstrap mends it."""
    bench.converge("cluster.bootstrap", tries=1)


@dataclass(frozen=True)
class Named:
    """One fault by its name in the lab (or the words for kubectl), whom it befalls, the rows that turn red, how it ends."""

    name: str
    target: str
    red: tuple[str, ...]
    lift: Lift | None = None

    def begin(self, bench: Bench) -> None:
        if self.name.startswith("delete "):
            kubectl(bench, *self.name.split(), *self.target.split())
        else:
            bench.ask("trouble", name=self.name, target=self.target)
        if self.name == "etcd-frozen":  # its machine says so some seconds later
            deadline = time.monotonic() + 90
            while bench.ask("status")["etcd"][self.target] and time.monotonic() < deadline:
                time.sleep(0.1)
        if self.name in DEADLY:  # Kubernetes finds out when the node's Lease has not been renewed for a while
            kubectl(bench, "wait", "node/w-1", "--for=condition=Ready=Unknown", "--timeout=90s")

    def end(self, bench: Bench) -> None:
        if self.lift is None:
            bench.ask("trouble", name=self.name, target=self.target, end=True)
        else:
            self.lift(bench)


NAMED = (
    Named("host-down", "pve-4", ("preflight.host/pve-4",), on_again),
    Named("host-clock-ahead", "pve-2", ("preflight.clock/pve-2",)),
    Named("token-weak", "", ("preflight.privileges",)),
    Named("vm-changed", "w-1", ("proxmox.create-vm/w-1",)),
    Named("config-changed", "cp-2", ("talos.apply-config/cp-2",)),
    Named("etcd-frozen", "cp-2", ("talos.bootstrap-etcd",)),
    Named("api-frozen", "cp-3", ("kubernetes.api-servers",)),
    Named("delete secret", "sops-age -n flux-system", ("kubernetes.put-secret/sops-age",), mended),
    Named("delete validatingadmissionpolicy", "blackstart-hold-claims", ("hold.install",), mended),
    Named("git-down", "", ("preflight.clone",)),
    Named("charts-down", "", CHARTS),
    Named("store-down", "", (BACKUP,)),
    Named("backup-half-uploaded", "notes", (BACKUP,), store_back),
    Named("packs-lost", "notes", (BACKUP,), store_back),
    Named("vm-off", "w-1", ("proxmox.start-vm/w-1",), mended),
    Named("git-ahead", "", ("preflight.clone",), lambda bench: None),
)
