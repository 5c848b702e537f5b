"""A house that is lost whole, its Proxmox with it: Git, lock file, inventory and backups are all that is left, and are enough."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.course import course
from cluster.inventory import differences, take
from console.opened.building import builder
from console.verbs import config
from engine.errors import EXIT_HELD, EXIT_OK
from engine.plan import Planned
from house.declared.kinds import NO_KINDS
from house.known.inventory import INVENTORY_FILE, inventory_path, read_inventory
from house.known.inventory_text import write_inventory
from house.known.lock import LockedClaim, lock_path, read_lock, write_lock
from house.loader import load
from house.model import House
from house.settings.values import FILL_IN
from recovery.course import course as recovery_course
from tests.house.first.test_init import ANSWERS
from tests.house.small_house import FILES, SETTINGS, write_repository
from tests.scenario.running import DATA, Running

NOTES = """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: &app notes, namespace: apps}
spec:
  targetNamespace: apps
  path: ./kubernetes/apps/apps/notes/app
  components: [../../../../components/volsync]
  wait: true
  postBuild: {substitute: {APP: *app, VOLSYNC_CLAIM: notes-data, VOLSYNC_UID: "1000", VOLSYNC_GID: "1001"}}
"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: "${APP}-volsync-secret"}
stringData: {RESTIC_REPOSITORY: "s3:https://127.10.0.30:9000/backups/${APP}", RESTIC_PASSWORD: not-read}
"""
W1 = """    cores: 2
    disks:
      - size: 20GiB
        storage: fast
        fate: create
"""
RICHER = """    cores: 2
    cpu: host
    vlan: 20
    tags: [k8s]
    disks:
      - size: 20GiB
        fate: create
      - {size: 100GiB, slot: scsi3, fate: keep}
"""


def in_git(root: Path) -> Path:
    """The repository of a small house with one claim, and its settings beside it."""
    assert W1 in SETTINGS
    settings = write_repository(root, SETTINGS.replace(W1, RICHER).replace("    min_bytes: 1MiB\n", "").partition("  claims:\n")[0])
    for name in FILES:
        if "/odd/" in name or "/vault/" in name or "/photos/" in name:
            (root / name).unlink()
    (root / "kubernetes/apps/apps/notes/ks.yaml").write_text(NOTES)
    (root / "kubernetes/components/volsync/secret.yaml").write_text(SECRET)
    apps = root / "kubernetes/apps/apps/kustomization.yaml"
    apps.write_text(apps.read_text().replace(", ./photos/ks.yaml, ./vault/ks.yaml, ./odd/ks.yaml", ""))
    return settings


def lived_in(house: House, folder: Path) -> Running:
    """Built, its one claim restored and its application running."""
    made = Running(folder, house)
    made.backed_up()
    for report, wanted in ((made.apply(made.bootstrap), EXIT_HELD), (made.apply(made.restore), EXIT_OK)):
        assert report.exit_code == wanted, [f"{step.id}: {step.error}" for step in report.root_causes]
    return made


def read(settings: Path) -> House:
    """The house of these settings. Which operators bring the kinds that it applies is no matter of this page."""
    return replace(load(settings, builder()), kinds=NO_KINDS)


def fill_in(file: Path) -> None:
    """The marks answered, as a person would who has a new Proxmox before him."""
    lines = []
    for line in file.read_text().splitlines():
        key = line.strip().removeprefix("- ").partition(":")[0]
        marked = FILL_IN in line and not line.lstrip().startswith("#")
        lines.append(line.replace(FILL_IN, ANSWERS[key]) if marked else line)
    file.write_text("\n".join(lines) + "\n")


def told(house: Running) -> list[object]:
    """What each VM is, but for what is another with every life: its volumes' names."""
    vms = take(house.home.look(), house.house).seen.machines
    assert vms is not None
    return [replace(vm, disks=tuple(replace(disk, volume="") for disk in vm.disks)) for vm in vms.vms]


def test_a_new_house_is_built_from_git_lock_inventory_and_backups_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git = tmp_path / "git"
    git.mkdir()
    settings = in_git(git)
    old = lived_in(read(settings), tmp_path / "state")
    write_inventory(inventory_path(old.house), take(old.home.look(), old.house).seen)
    (claim,) = old.house.claims
    snapshots = old.home.store.repositories[claim.mover_repository]
    write_lock(lock_path(old.house), [LockedClaim(claim.key, snapshots.repository_id, 1, 100, old.clock.now())])
    before, lineage, backups = told(old), old.house.id, old.home.store

    # The house burns down, and the machine with the settings on it: nobody ever committed them.
    settings.unlink()
    assert config.init(str(git), "", True, from_inventory=str(git / INVENTORY_FILE)) == EXIT_OK
    marks = [one["path"] for one in json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["marks"]]
    assert [path for path in marks if path.startswith(("nodes", "node_defaults", "image", "house"))] == []
    assert "proxmox.endpoints[0].url" in marks
    fill_in(settings)
    house = read(settings)
    assert (house.id, house.name) == (lineage, "small")
    assert [node.mac for node in house.nodes] == ["bc:24:11:00:00:01", "bc:24:11:00:00:04"]

    new = Running(tmp_path / "new-state", house)
    new.home.store.repositories.update(backups.repositories)
    known = {row.claim: row.repository_id for row in read_lock(lock_path(house))}
    planned = {line.id: line for line in new.plan(course(new.house, known)).lines}
    assert planned["proxmox.machines"].verdict is Planned.NOOP, planned["proxmox.machines"].evidence
    assert INVENTORY_FILE in planned["proxmox.machines"].detail
    report = new.apply(course(new.house, known))
    assert report.exit_code == EXIT_HELD, [str(step.error) for step in report.root_causes]
    assert new.apply(recovery_course(new.house, new.house.claims, known=known)).exit_code == EXIT_OK
    assert told(new) == before
    assert new.home.kube.objects().claims[("apps", "notes-data")].entries == DATA
    left = differences(read_inventory(git / INVENTORY_FILE), take(new.home.look(), new.house).seen)
    assert all("volume" in line or "disks" in line for line in left), left
