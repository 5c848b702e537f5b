"""The chain that poisons a rebuilt cluster's backups, on the real parts: it happens without the hold, and not with it.

A restore of nothing succeeds, the application writes defaults, its first backup pushes the only good snapshot out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.backups.snapshots import restore_points
from adapters.hold.adapter import KubernetesHold
from adapters.hold.results import HeldClaim, HoldState
from adapters.kubernetes.client import Clients
from engine.waiting import SystemClock
from lab.parts.kube import CLAIMS, DESTINATIONS, EVENTS, JOBS, PODS, SECRETS, SNAPSHOTS, SOURCES, Object, Resource
from lab.parts.pods.images import APPLICATION_IMAGE
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers, program
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, listing
from tests.lab.parts.conftest import Backup

pytestmark = pytest.mark.programs
POLICIES = Resource("/apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicies", namespaced=False)
BINDINGS = Resource("/apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", namespaced=False)
OURS = "app.kubernetes.io/managed-by=blackstart"
TOO_OLD = "2020-01-01T00:00:00Z"
"""A point in time before the first snapshot: VolSync restores nothing, and calls it a success."""


@dataclass(frozen=True)
class Rebuilt:
    """One application of a rebuilt cluster: its namespace, and its repository with the one good snapshot."""

    bench: Bench
    space: str
    repository: Path

    @classmethod
    def of(cls, bench: Bench, backup: Backup, name: str) -> Rebuilt:
        shutil.copytree(bench.nas / backup.folder, bench.nas / name)
        space = bench.namespace(privileged=True)
        bench.kube.apply(SECRETS, objects.repository(space, "repository", name))
        return cls(bench, space, bench.nas / name)

    def start(self) -> None:
        """What Flux applies, but for the backup: the restore, the claim that it fills, the application."""
        kube, space = self.bench.kube, self.space
        kube.apply(DESTINATIONS, objects.destination(space, "app", "repository", "once", restoreAsOf=TOO_OLD))
        kube.apply(CLAIMS, objects.claim(space, "data", populated_by="app"))
        kube.apply(PODS, objects.pod(space, "app", "data", image=APPLICATION_IMAGE, arguments=("/data",)))

    def back_up(self) -> None:
        """What Flux applies, too: a backup by schedule, whose first run is at once, and which keeps one snapshot."""
        source = objects.source(self.space, "app", "data", "repository", "")
        source["spec"]["trigger"] = {"schedule": "0 0 1 1 *"}
        source["spec"]["restic"]["retain"] = {"last": "1"}
        self.bench.kube.apply(SOURCES, source)

    def snapshots(self) -> set[str]:
        """Names of the repository's snapshots."""
        return {path.name for path in (self.repository / "snapshots").iterdir()}

    def restic(self, *words: str) -> bytes:
        """What restic prints of the repository."""
        argv = [program("restic") or "restic", "--repo", str(self.repository), "--no-lock", "--no-cache", "--json", *words]
        environment = {"RESTIC_PASSWORD": "correct horse", "HOME": "/nonexistent"}
        return subprocess.run(argv, env=environment, capture_output=True, check=True, timeout=60).stdout

    def syncing(self, resource: Resource) -> str:
        """What VolSync says about its work on the source or destination."""
        status = self.bench.status(resource, self.space, "app")
        return " ".join(c.get("message", "") for c in status.get("conditions", []) if c["type"] == "Synchronizing")

    def told(self, resource: Resource, words: str) -> None:
        self.bench.until(lambda: words in self.syncing(resource), f"{resource.plural}: {words}; it says {self.syncing(resource)}")

    def first_backup(self) -> Object:
        def done() -> bool:
            return "result" in self.bench.status(SOURCES, self.space, "app").get("latestMoverStatus", {})

        self.bench.until(done, "the first backup")
        return self.bench.status(SOURCES, self.space, "app")

    def nudge(self, resource: Resource, item: Object, mark: str) -> None:
        """Any change lets VolSync try again at once, however long it meant to wait."""
        self.bench.kube.patch(resource, item, {"metadata": {"annotations": {"nudged": mark}}})


@pytest.fixture
def hold(bench: Bench, tmp_path: Path) -> Iterator[KubernetesHold]:
    """The hold's own adapter, on this cluster; afterwards its policies are gone again."""
    access, (node,) = bench.kube.access, list(bench.cluster.machines)
    plane = bench.cluster.control_plane(node)
    admin = {"client-certificate": str(access.certificate), "client-key": str(access.key)}
    cluster = {"server": plane.server, "certificate-authority": str(access.authority)}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "clusters": [{"name": "lab", "cluster": cluster}], "users": [{"name": "lab", "user": admin}],
    }  # fmt: skip
    (tmp_path / "admin.json").write_text(json.dumps(config))
    (tmp_path / "state").mkdir()
    servers = ApiServers((plane.address,), tmp_path / "admin.json", bench.cluster.keys_of(node).kubernetes)
    clients = Clients(house_on(servers, tmp_path / "state"))
    yield KubernetesHold(clients, SystemClock())
    clients.close()
    for resource in (BINDINGS, POLICIES):
        for item in bench.kube.list(resource, selector=OURS):
            bench.kube.delete(resource, item)


def test_an_empty_restore_poisons_the_backup_when_nothing_holds_it(bench: Bench, backup: Backup) -> None:
    app = Rebuilt.of(bench, backup, "poisoned")
    good = app.snapshots()
    app.start()
    volume = bench.wait_bound(app.space, "data")
    bench.until(lambda: (volume / "defaults.json").exists(), "the application's defaults")
    app.back_up()
    app.first_backup()
    assert len(app.snapshots()) == 1
    assert not app.snapshots() & good


def test_the_hold_stops_the_chain_at_each_link_and_lets_only_the_pinned_data_through(
    bench: Bench, backup: Backup, hold: KubernetesHold
) -> None:
    app, kube = Rebuilt.of(bench, backup, "held"), bench.kube
    before = files(app.repository)
    claim = HeldClaim(app.space, "data", HoldState.HELD, "app", "app")
    hold.put(claim)
    hold.install(rebuilt=False)
    bench.until(lambda: all(refusal.refused for refusal in hold.refusals()), "the hold bites")

    # The same objects as above. Every link of the chain was tried, and refused.
    app.start()
    app.back_up()
    app.told(DESTINATIONS, "the hold admits only the pinned restore point (not pinned yet")
    app.told(SOURCES, "the hold refuses a snapshot for a backup of data, which is not released")
    assert [kube.list(made, app.space) for made in (JOBS, SNAPSHOTS)] == [[], []]
    assert bench.phase(CLAIMS, app.space, "data") == bench.phase(PODS, app.space, "app") == "Pending"

    # Pinned: still nothing but the pin itself is restored, and the claim is not filled before the image was proven.
    (point,) = restore_points("", json.loads(app.restic("snapshots")))
    hold.put(replace(claim, pin=point.pin))
    destination = objects.destination(app.space, "app", "repository", "once")
    app.nudge(DESTINATIONS, destination, "pinned")
    app.told(DESTINATIONS, f"the hold admits only the pinned restore point ({point.pin}")
    assert files(app.repository) == before
    kube.patch(DESTINATIONS, destination, {"spec": {"restic": {"restoreAsOf": point.pin}}})
    image = bench.wait_restored(app.space, "app", "once")["latestImage"]["name"]
    wanted = objects.claim(app.space, "data")
    app.nudge(CLAIMS, wanted, "restored")
    bench.until(lambda: "fills it only from the image that was proven" in events(bench, app.space), "the claim is not filled")
    assert bench.phase(CLAIMS, app.space, "data") == "Pending"

    # Proven: the application starts on its data, and is not backed up before it is released.
    proven = replace(claim, state=HoldState.PROVEN, pin=point.pin, image=image)
    hold.put(proven)
    app.nudge(CLAIMS, wanted, "proven")
    volume = bench.wait_bound(app.space, "data")
    bench.wait_ready(app.space, "app")
    assert contents(listing(volume)) == contents(backup.content)
    app.nudge(SOURCES, objects.source(app.space, "app", "data", "repository", ""), "proven")
    app.told(SOURCES, "the hold refuses")
    assert app.snapshots() == {point.snapshot_id}

    # Released: the first backup holds the real data; that it alone is left is what `last: 1` asks for.
    hold.put(replace(proven, state=HoldState.RELEASED))
    app.nudge(SOURCES, objects.source(app.space, "app", "data", "repository", ""), "released")
    assert app.first_backup()["latestMoverStatus"]["result"] == "Successful"
    (new,) = restore_points("", json.loads(app.restic("snapshots")))
    assert new.snapshot_id != point.snapshot_id
    listed = (json.loads(line) for line in app.restic("ls", new.snapshot_id).splitlines())
    names = {entry["path"].removeprefix("/") for entry in listed if entry.get("type") == "file"}
    assert names == {name for name, (*_, digest) in backup.content.items() if digest}


def events(bench: Bench, space: str) -> str:
    """The words of all events of the namespace."""
    return " ".join(event.get("message", "") for event in bench.kube.list(EVENTS, space))


def contents(found: dict[str, tuple[int, int, int, str]]) -> dict[str, object]:
    """Without owners where nobody but root could have set them."""
    return {name: entry if os.geteuid() == 0 else entry[2:] for name, entry in found.items()}


def files(folder: Path) -> dict[str, int]:
    """Every file of a repository and its size."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
