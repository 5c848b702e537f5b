"""Each named fault of a running house turns exactly its own rows of the real `invoke cluster.verify` red, until it is lifted."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl
from tests.lab.built.rows import red, red_rows
from tests.lab.built.shell import typed

pytestmark = [pytest.mark.programs, pytest.mark.houses]
BACKUP = "preflight.backup/selfhosted/notes"
CHARTS = tuple(
    f"preflight.chart/{release}"
    for release in ("flux-system/flux-instance", "flux-system/flux-operator", "kube-system/cilium", "kube-system/coredns")
)
DEADLY = ("host-down", "vm-off")
LONG = ("vm-off", "charts-down", "git-down", "packs-lost", "host-clock-ahead")
"""Played by itself alone, when one asks for what is long: another of its kind is played each time."""
Lift = Callable[[Bench], object]


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


def test_a_trigger_whose_run_has_ended_keeps_its_schedule_off_and_the_hint_gives_it_back(bench: Bench) -> None:
    patch = ("patch", "replicationsource", "notes", "-n", "selfhosted", "--type=merge", "-p")
    kubectl(bench, *patch, '{"status":{"lastManualSync":"by-hand"}}', "--subresource=status")  # the hold lets no run end
    kubectl(bench, *patch, '{"spec":{"trigger":{"manual":"by-hand"}}}')
    found = bench.run("cluster.verify")
    assert list(red_rows(found)) == ["backup.schedules"]
    (row,) = [row for row in found.result["steps"] if row["id"] == "backup.schedules"]
    typed(bench, row["error"]["hint"])
    given_back = kubectl(bench, "get", "replicationsource", "notes", "-n", "selfhosted", "-o", "jsonpath={.spec.trigger}")
    assert list(json.loads(given_back)) == ["schedule"]  # that no row is red by it any more, the next test sees


TOGETHER = (
    ("delete secret", "delete validatingadmissionpolicy", "backup-half-uploaded"),
    ("etcd-frozen",),
    ("api-frozen",),
    ("host-down",),
    ("token-weak", "vm-changed", "config-changed", "git-ahead", "store-down"),
)
"""What is played each time: of those played together none waits for another. Nothing takes git-ahead back: it is the last."""


def test_every_named_fault_is_played() -> None:
    assert sorted((*LONG, *(name for names in TOGETHER for name in names))) == sorted(each.name for each in NAMED)


@pytest.mark.parametrize("names", [pytest.param(names, id=", ".join(names)) for names in TOGETHER])
def test_named_faults_turn_exactly_their_own_rows_red(bench: Bench, names: tuple[str, ...]) -> None:
    play(bench, [each for each in NAMED if each.name in names])


@pytest.mark.long
@pytest.mark.parametrize("named", [pytest.param(each, id=f"{each.name} {each.target}".strip()) for each in NAMED])
def test_a_named_fault_turns_exactly_its_own_rows_red(bench: Bench, named: Named) -> None:
    play(bench, [named])


def play(bench: Bench, faults: list[Named]) -> None:
    """Begin them, see what is red, and end them all, whatever was seen."""
    try:
        for each in faults:
            each.begin(bench)
        rows = red(bench)
    finally:
        for each in faults:
            if each.lift is not mended:
                each.end(bench)
        if any(each.lift is mended for each in faults):
            mended(bench)
    assert sorted(rows) == sorted(row for each in faults for row in each.red), rows
