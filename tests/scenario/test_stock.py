"""A house with none of the lab's favours, built by following only what the tool says, from an empty blackstart.yaml.

Proxmox and factory are as they come: `local` takes no images, the token may do what SECURITY.md says, nobody publishes checksums.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.helm.results import ReleaseKinds
from bootstrap.course import course
from console.building import builder
from console.ending import LastWords
from console.programs import refuse_unfit
from console.session import Session
from console.verbs import config
from console.verbs.cluster import NEXT_RESTORE, preflight_of
from console.verbs.doctor import Reach, doctor_of
from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_OK, PreflightRefused, SettingsInvalid
from house.kinds import Kind
from house.loader import SETTINGS_FILE, load
from house.model import House
from house.values import FILL_IN
from lab.world.images import make_qcow2
from lab.world.pve_house import DOCUMENTED, IMAGE_BYTES, without_favours
from tests.console.modelled_doors import Desk
from tests.house.small_house import SETTINGS, write_repository
from tests.scenario.running import DATA

ROOT = Path(__file__).parents[2]

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
MARKED = re.compile(rf"^.*{FILL_IN}.*?#\s*(?P<where>\S.*)$")


class Person:
    """Types what was printed before, and nothing else; answers marks; keeps the list of what was typed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], desk: Desk) -> None:
        self.folder, self.capsys, self.desk = folder, capsys, desk
        self.file = folder / SETTINGS_FILE
        self.seen = ""
        self.typed: list[str] = []

    def type(self, command: str, code: int) -> str:
        """Type a command that was shown; what it prints, which must end with this code."""
        if self.typed:  # the first one is README's
            assert command in " ".join(self.seen.split()), f"nobody told the person to type {command}"
        self.typed.append(command)
        ended = self._invoke(command) if command.startswith("invoke ") else self._on_a_host(command)
        printed = self.capsys.readouterr()
        self.seen += printed.out + printed.err
        assert ended == code, printed.out + printed.err
        return printed.out + printed.err

    def fill_in(self, path: str, line: int, value: str) -> None:
        """Answer one mark, whose comment says where its answer is found."""
        lines = self.file.read_text().splitlines()
        told = MARKED.match(lines[line - 1])
        assert told, f"{lines[line - 1]} does not say where to find it"
        lines[line - 1] = lines[line - 1].replace(FILL_IN, value, 1)
        self.file.write_text("\n".join(lines) + "\n")
        self.typed.append(f"edit {path}: {value}")

    def house(self) -> House:
        """As the settings are now."""
        return load(self.file, builder())

    def _invoke(self, command: str) -> int:
        verb, *words = shlex.split(command)[1:]
        verbs: dict[str, Callable[[], int]] = {
            "config.init": lambda: config.init(words[words.index("--repo") + 1], "", False),
            "config.check": lambda: config.check("", False),
            "config.doctor": lambda: doctor_of("", False, Reach(builder())),
            "cluster.preflight": lambda: preflight_of(self._session(verb)),
            "cluster.bootstrap": self._bootstrap,
        }
        try:
            return verbs[verb]()
        except PreflightRefused as refused:
            sys.stdout.write(f"{refused.what}\n")
            return refused.exit_code

    def _bootstrap(self) -> int:
        """As the verb, on the modelled house's own time."""
        running, session = self.desk.running, self._session("cluster.bootstrap")
        refuse_unfit(session.house)
        running.house = running.home.house = session.house
        report = running.apply(course(session.house, session.known()))
        return session.finish_run(report, LastWords(NEXT_RESTORE, "Cluster built"))

    def _session(self, verb: str) -> Session:
        return Session(verb, self.house(), self.desk.doors)

    def _on_a_host(self, command: str) -> int:
        """A command for a Proxmox host, or one that prints a checksum."""
        words = shlex.split(command)
        pve = self.desk.running.home.proxmox
        if words[:2] == ["pvesm", "set"]:
            for host in pve.hosts:
                storage = pve.storages.find(host, words[2])
                assert storage is not None
                storage.content = frozenset(words[words.index("--content") + 1].split(","))
            return EXIT_OK
        assert words[0] == "curl", command
        url = next(word for word in words if word.startswith("https://"))
        sys.stdout.write(f"{hashlib.sha256(make_qcow2(IMAGE_BYTES, url.encode())).hexdigest()}  -\n")
        return EXIT_OK


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


def world_of(house: House) -> dict[str, object]:
    """Everything of this house but where its files lie."""
    left = {"state_dir", "settings_file"}
    return {name: getattr(house, name) for name in house.__dataclass_fields__ if name not in left}


def test_the_documented_role_is_that_of_the_page_that_a_person_reads() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    role = page.partition('pveum role add Blackstart --privs "')[2].partition('"')[0]
    assert frozenset(role.replace("\\", " ").split()) == DOCUMENTED


def test_from_an_empty_file_to_a_cluster_by_what_the_tool_says(person: Person) -> None:
    person.type("invoke config.doctor", EXIT_DRIFT)
    person.type("invoke config.init --repo .", EXIT_OK)
    person.type("invoke config.doctor", EXIT_DRIFT)
    marks = person.type("invoke config.check", SettingsInvalid.exit_code)
    for line, path in re.findall(r"^\S+?:(\d+):\d+: error: (\S+): is not filled in yet", marks, re.MULTILINE):
        person.fill_in(path, int(line), KNOWN[path])
    person.type("invoke config.check", EXIT_OK)
    assert "next: invoke cluster.preflight" in person.type("invoke config.doctor", EXIT_DRIFT)

    refused = person.type("invoke cluster.preflight", PreflightRefused.exit_code)
    for command in sorted(set(re.findall(r"pvesm set \S+ --content \S+", refused))):
        person.type(command, EXIT_OK)
    told = re.search(r"curl -fsSL \S+ \| sha256sum", " ".join(refused.split()))
    assert told is not None and "the line `sha256: HEX` is missing" in refused
    digest = person.type(told[0], EXIT_OK).split()[0]
    text = person.file.read_text()
    person.file.write_text(re.sub(r"^  # sha256: .*$", f"  sha256: {digest}", text, flags=re.MULTILINE))
    person.typed.append(f"edit image.sha256: {digest[:8]}…")

    assert "invoke cluster.bootstrap" in person.type("invoke cluster.preflight", EXIT_OK)
    assert "Next: invoke dr.restore" in person.type("invoke cluster.bootstrap", EXIT_HELD)
    commands = [line for line in person.typed if not line.startswith("edit ")]
    assert [re.sub(r" https://\S+", " URL", line) for line in commands] == [
        "invoke config.doctor",
        "invoke config.init --repo .",
        "invoke config.doctor",
        "invoke config.check",
        "invoke config.check",
        "invoke config.doctor",
        "invoke cluster.preflight",
        "pvesm set local --content backup,import,iso,snippets,vztmpl",
        "curl -fsSL URL | sha256sum",
        "invoke cluster.preflight",
        "invoke cluster.bootstrap",
    ]
    assert len(person.typed) - len(commands) == len(KNOWN) + 1
