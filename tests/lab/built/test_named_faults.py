"""Each named fault of a running house turns exactly its own rows of the real `invoke cluster.verify` red, until it is lifted."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_STEP_FAILED
from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench, Ended
from tests.crash.wire.outside import kubectl
from tools.locate import need
from tools.places import CHECKOUT

pytestmark = pytest.mark.programs
BACKUP = "preflight.backup/selfhosted/notes"
CHARTS = tuple(
    f"preflight.chart/{release}"
    for release in ("flux-system/flux-instance", "flux-system/flux-operator", "kube-system/cilium", "kube-system/coredns")
)
# Kinds in which something of ours may stand; none of it may, once the README's commands were typed.
OF_OURS = (
    "namespaces", "leases", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings", "clusterroles",
    "clusterrolebindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings", "deployments",
    "kustomizations.kustomize.toolkit.fluxcd.io", "replicationdestinations", "replicationsources", "persistentvolumeclaims",
)  # fmt: skip
Lift = Callable[[Bench], object]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house that was built, with a backup that its lock file knows; the store as it was lies in `store-before`."""
    needed("talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync")
    with Bench.of("four-nodes", tmp_path_factory.mktemp("named"), scenario="hosts-lost") as bench:
        assert bench.run("dr.audit", "--lock").code == 0
        bench.converge("cluster.bootstrap")
        shutil.copytree(bench.folder.root / "store", bench.folder.root / "store-before")
        assert red(bench) == {}
        yield bench


def red(bench: Bench) -> dict[str, str]:
    """The rows of a verify that are red by themselves, each with its words; what only waits for them is left out."""
    ended = bench.run("cluster.verify")
    rows = red_rows(ended)
    grave = [row["id"] for row in ended.result["steps"] if row["outcome"] == "failed" and not row["advisory"]]
    assert ended.code in ((EXIT_DRIFT, EXIT_STEP_FAILED) if grave else (0, EXIT_HELD)), ended.result
    return rows


def red_rows(ended: Ended) -> dict[str, str]:
    return {row["id"]: row["detail"] for row in ended.result["steps"] if row["outcome"] == "failed"}


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
            deadline = time.monotonic() + 30.0
            while bench.ask("status")["etcd"][self.target] and time.monotonic() < deadline:
                time.sleep(0.1)

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
    assert red(bench) == {}


@pytest.mark.parametrize("named", NAMED, ids=[f"{each.name} {each.target}".strip() for each in NAMED])
def test_a_named_fault_turns_exactly_its_own_rows_red(bench: Bench, named: Named) -> None:
    named.begin(bench)
    try:
        rows = red(bench)
    finally:
        named.end(bench)
    assert sorted(rows) == sorted(named.red), rows


def readme_commands() -> list[str]:
    """The lines of the README's "Get rid of Blackstart", without their comments, in their order."""
    section = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("## Get rid of Blackstart")[2].partition("\n## ")[0]
    block = section.partition("```sh\n")[2].partition("```")[0]
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def typed(bench: Bench, line: str) -> str:
    """One line of the README in a shell that has kubectl and nothing of ours."""
    home = {"HOME": str(bench.folder.root), "KUBECONFIG": str(bench.state / "kubeconfig")}
    environment = {"PATH": f"{need('kubectl').parent}:/usr/bin:/bin", **home}
    done = subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


def again(bench: Bench, line: str) -> bool:
    """Whether a line that may be refused at first was taken."""
    try:
        typed(bench, line)
    except subprocess.CalledProcessError as error:
        assert "denied request" in error.stderr, error.stderr
        return False
    return True


def marks(thing: dict[str, Any]) -> Iterator[str]:
    """What of ours an object bears: its name, a label, an annotation."""
    meta, shown = thing["metadata"], f"{thing['kind']} {thing['metadata']['name']}"
    if meta["name"].startswith("blackstart") or meta.get("namespace") == "blackstart":
        yield shown
    for key, value in {**meta.get("labels", {}), **meta.get("annotations", {})}.items():
        if "blackstart" in key or value == "blackstart":
            yield f"{shown}: {key}"


def test_with_the_readmes_commands_nothing_of_ours_is_left_and_the_house_lives_on(bench: Bench) -> None:
    """Last in this file: afterwards nothing holds the claim any more. What a broken-off restore leaves is put there first."""
    bindings, namespace, roles, unpin, suspended, resume, scaled, scale, asked, schedule = readme_commands()
    where, what = "selfhosted", "notes"
    kubectl(bench, "patch", "replicationdestination", f"{what}-bootstrap", "-n", where, "--type=merge",
            "-p", '{"spec":{"restic":{"restoreAsOf":"2026-01-01T00:00:00Z"}}}')  # fmt: skip
    kubectl(bench, "patch", "kustomization.kustomize.toolkit.fluxcd.io", what, "-n", where, "--type=merge",
            "-p", '{"metadata":{"annotations":{"blackstart/suspended":"x"}},"spec":{"suspend":true}}')  # fmt: skip
    kubectl(bench, "patch", "replicationsource", what, "-n", where, "--type=merge", "--field-manager=blackstart",
            "-p", '{"spec":{"trigger":{"manual":"blackstart-1"}}}')  # fmt: skip
    kubectl(bench, "annotate", "deployment", what, "-n", where, "blackstart/replicas=1")
    kubectl(bench, "scale", "deployment", what, "-n", where, "--replicas=0")

    typed(bench, bindings)
    deadline = time.monotonic() + 30.0
    while not again(bench, namespace):  # as the README says: refused until the API servers have learnt of the line before
        assert time.monotonic() < deadline, "the namespace stays refused"
        time.sleep(0.5)
    typed(bench, roles)
    typed(bench, unpin.replace("NAMESPACE", where).replace("NAME", f"{what}-bootstrap"))
    marked = [line.split() for line in typed(bench, suspended).splitlines()[1:] if line.split()[2] != "<none>"]
    assert [line[:2] for line in marked] == [[where, what]]
    typed(bench, resume.replace("NAMESPACE", where).replace("NAME", what))
    marked = [line.split() for line in typed(bench, scaled).splitlines()[1:] if line.split()[3] != "<none>"]
    assert marked == [["Deployment", where, what, "1"]]
    typed(bench, scale.replace("NAMESPACE", where).replace("NAME", what).replace("REPLICAS", "1"))
    assert [line.split()[:3] for line in typed(bench, asked).splitlines()[1:]] == [[where, what, "blackstart-1"]]
    typed(bench, schedule.replace("NAMESPACE", where).replace("NAME", what))
    (source,) = json.loads(kubectl(bench, "get", "replicationsource", "-A", "-o", "json"))["items"]
    assert list(source["spec"]["trigger"]) == ["schedule"]

    everything = json.loads(kubectl(bench, "get", ",".join(OF_OURS), "-A", "-o", "json"))["items"]
    assert [mark for thing in everything for mark in marks(thing)] == ["Secret sops-age: app.kubernetes.io/managed-by"]
    kubectl(bench, "wait", f"pvc/{what}", "-n", where, "--for=jsonpath={.status.phase}=Bound", "--timeout=90s")
    kubectl(bench, "wait", f"deployment/{what}", "-n", where, "--for=condition=Available", "--timeout=60s")
