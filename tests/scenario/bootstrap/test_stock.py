"""A house with none of the lab's favours, built by following only what the tool says, from an empty blackstart.yaml.

Proxmox and factory are as they come: `local` takes no images, the token may do what SECURITY.md says, nobody publishes checksums.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.helm.results import ReleaseKinds
from console.opened.building import builder
from engine.errors import EXIT_HELD, EXIT_OK
from house.declared.kinds import Kind
from house.loader import SETTINGS_FILE, load
from lab.world.pve.house import DOCUMENTED, without_favours
from tests.console.modelled_doors import Desk
from tests.house.small_house import SETTINGS, write_repository
from tests.scenario.bootstrap.stranger import COMMANDS, Person, world_of
from tests.scenario.running import DATA

ROOT = Path(__file__).parents[3]

BROUGHT = ReleaseKinds(first=(
    Kind("external-secrets.io/v1", "ExternalSecret"), Kind("volsync.backube/v1alpha1", "ReplicationSource"),
    Kind("volsync.backube/v1alpha1", "ReplicationDestination"),
))  # fmt: skip
"""What the small house's releases leave to others: here one of them brings it."""
# What the person knows: the answer to each mark, by its place. Where it is found, the comment at the mark says.
KNOWN = {
    "proxmox.endpoints[0].url": "https://10.0.0.101:8006", "proxmox.endpoints[0].fingerprint": ":".join(["AB"] * 32),
    "proxmox.token.id": "blackstart@pve!run",
    "node_defaults.storage": "local-lvm", "node_defaults.cores": "4", "node_defaults.memory": "8GiB",
    "node_defaults.disks[0].size": "20GiB", "node_defaults.disks[1].size": "50GiB",
    "nodes.cp-1.host": "pve-1", "nodes.cp-1.vm_id": "8000", "nodes.w-1.host": "pve-4", "nodes.w-1.vm_id": "8001",
    "image.schematic": "376567988ad3",
    "backups.password": "env:STOCK_RESTIC", "backups.open_as[0].open": "/repository/{app}",
    "backups.open_as[1].environment.AWS_ACCESS_KEY_ID": "env:STOCK_KEY_ID",
    "backups.open_as[1].environment.AWS_SECRET_ACCESS_KEY": "env:STOCK_KEY",
    "backups.claims.apps/vault.repository": "/repository/vault",
}  # fmt: skip


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Person:
    folder = tmp_path / "home-ops"
    folder.mkdir()
    write_repository(folder)
    (folder / "kubernetes/apps/apps/odd/app/all.yaml").write_text("kind: ConfigMap\napiVersion: v1\nmetadata: {name: odd}\n")
    (folder / "talos/talsecret.sops.yaml").write_text("sops: {}\n")
    notes = folder / "kubernetes/apps/apps/notes/ks.yaml"
    waits = "  dependsOn: [{name: photos}, {name: volsync, namespace: volsync-system}]\n"
    assert waits in notes.read_text()
    notes.write_text(notes.read_text().replace(waits, ""))
    # Only the world is made of settings that are known: the person starts with an empty file.
    known = folder / "known.yaml"
    known.write_text(SETTINGS.replace("vm_id: 8001", "vm_id: 8000").replace("vm_id: 8004", "vm_id: 8001"))
    desk = Desk(tmp_path / "world", **world_of(load(known, builder())))
    known.unlink()
    (folder / SETTINGS_FILE).write_text("")
    home = desk.running.home
    home.rendered["kube-system/coredns"] = BROUGHT
    without_favours(home.proxmox, home.house.proxmox.token_id)
    for claim in desk.running.house.claims:
        home.seed_backup(claim.mover_repository, DATA)
    for name in ("SOPS_AGE_KEY", "PROXMOX_TOKEN_SECRET", "STOCK_RESTIC", "STOCK_KEY_ID", "STOCK_KEY"):
        monkeypatch.setenv(name, f"{name.lower()}-of-the-stock-house")
    monkeypatch.chdir(folder)
    return Person(folder, capsys, desk)


def test_the_documented_role_is_that_of_the_page_that_a_person_reads() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    role = page.partition('pveum role add Blackstart --privs "')[2].partition('"')[0]
    assert frozenset(role.replace("\\", " ").split()) == DOCUMENTED


def test_from_an_empty_file_to_a_cluster_by_what_the_tool_says(person: Person) -> None:
    person.settle(KNOWN)
    person.mend_what_preflight_refuses()
    assert "invoke cluster.bootstrap" in person.type("invoke cluster.preflight", EXIT_OK)
    assert "Next: invoke dr.restore" in person.type("invoke cluster.bootstrap", EXIT_HELD)
    assert person.commands == COMMANDS
    assert len(person.typed) - len(person.commands) == len(KNOWN) + 1
