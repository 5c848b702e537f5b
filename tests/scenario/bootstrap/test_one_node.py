"""The smallest house, bootstrapped by a stranger: its own repository, an empty blackstart.yaml, and what the tool says."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.opened.building import builder
from engine.errors import EXIT_HELD, EXIT_OK
from house.loader import SETTINGS_FILE, load
from lab.houses.credentials import TOKEN_ID, Credentials
from lab.houses.nouns import ONE_NODE, Block, HouseFolder
from lab.houses.repository import make_repository
from lab.houses.settings import SCHEMATIC, settings_text
from lab.wire.pki import LabCA
from lab.world.pve.house import without_favours
from tests.console.modelled_doors import Desk
from tests.contract.apiserver import needed
from tests.scenario.bootstrap.stranger import COMMANDS, Person, world_of

pytestmark = pytest.mark.programs
BLOCK = Block("127.100.9")
# What the person knows: the answer to each mark, by its place.
KNOWN = {
    "proxmox.endpoints[0].url": "https://10.0.0.101:8006", "proxmox.endpoints[0].fingerprint": ":".join(["AB"] * 32),
    "proxmox.token.id": TOKEN_ID,
    "node_defaults.storage": "local-lvm", "node_defaults.cores": "2", "node_defaults.memory": "4GiB",
    "node_defaults.disks[0].size": "20GiB", "nodes.cp-1.host": "pve-1", "nodes.cp-1.vm_id": "8001",
    "image.schematic": SCHEMATIC,
    "backups.password": "env:ONE_RESTIC",
    "backups.open_as[0].environment.AWS_ACCESS_KEY_ID": "env:ONE_KEY_ID",
    "backups.open_as[0].environment.AWS_SECRET_ACCESS_KEY": "env:ONE_KEY",
}  # fmt: skip


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Person:
    needed("talhelper", "sops", "age-keygen", "git", "kubectl")
    folder = HouseFolder(tmp_path / "one-node")
    folder.root.mkdir()
    LabCA(folder.pki)
    credentials = Credentials.make()
    credentials.write(folder.secrets)
    make_repository(ONE_NODE, folder, BLOCK, credentials)
    # Only the world is made of settings that are known: the person starts with an empty file.
    known = settings_text(ONE_NODE, BLOCK, {"pve-1": ":".join(["AB"] * 32)}, "")
    folder.settings.write_text(known.replace(BLOCK.factory, "https://factory.talos.dev"))
    desk = Desk(tmp_path / "world", **world_of(load(folder.settings, builder())))
    folder.settings.unlink()
    (folder.clone / SETTINGS_FILE).write_text("")
    without_favours(desk.running.home.proxmox, KNOWN["proxmox.token.id"])
    monkeypatch.setenv("SOPS_AGE_KEY", credentials.age_key.reveal())
    for name in ("PROXMOX_TOKEN_SECRET", "ONE_RESTIC", "ONE_KEY_ID", "ONE_KEY"):
        monkeypatch.setenv(name, f"{name.lower()}-of-the-smallest-house")
    monkeypatch.chdir(folder.clone)
    return Person(folder.clone, capsys, desk)


def test_from_an_empty_file_to_the_smallest_cluster_by_what_the_tool_says(person: Person) -> None:
    person.settle(KNOWN)
    person.mend_what_preflight_refuses()
    assert "invoke cluster.bootstrap" in person.type("invoke cluster.preflight", EXIT_OK)
    assert "Next: invoke dr.restore" in person.type("invoke cluster.bootstrap", EXIT_HELD)
    assert person.commands == COMMANDS
    assert len(person.typed) - len(person.commands) == len(KNOWN) + 1
