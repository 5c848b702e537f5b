"""config.init --ask-proxmox: nothing is sent before a person's yes, and what was found loads, plans as it is, and loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.ports import ProxmoxView
from adapters.proxmox.certificate import shown_by
from adapters.proxmox.results import Vm
from bootstrap.steps.create_vm import CreateVm, differences
from cluster.machines.differing import lost
from console.opened.building import builder
from console.opened.finding import find
from console.verbs import config
from engine.errors import EXIT_OK, ApprovalMissing, PermanentError, SettingsInvalid, TransientError
from engine.secrets import Secret
from house.first.found import FoundProxmox
from house.first.machines import nodes_text
from house.first.writing import write_settings
from house.loader import load
from house.model import ProxmoxAccess
from house.repository.talconfigs.talconfig import TalosNode
from house.settings.values import FILL_IN
from lab.ports.machines.proxmox import ModelledProxmox
from lab.wire.pki import LabCA
from lab.world.pve.access import LabToken
from tests.builders import a_house
from tests.house.first.test_init import fill_in
from tests.house.small_house import write_repository
from tests.scenario.bootstrap.test_machines import RICH
from tests.scenario.running import Running

ENVIRON = {"PROXMOX_TOKEN_ID": "blackstart@pve!run", "PROXMOX_TOKEN_SECRET": "6f0d8f3e-0000-4000-8000-000000000001"}
PIN = ":".join(["AB"] * 32)
URL = "https://10.0.0.11:8006"


class Shown:
    """A server with a certificate of its own, which counts what it is sent after the handshake."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(401)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the server gives
                """Nothing on the test's screen."""

        keys = LabCA(folder).server("pve", "127.0.0.1")
        self.fingerprint = keys.fingerprint
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = keys.context().wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    made = Shown(tmp_path / "pki")
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_certificate_that_nobody_confirmed_is_shown_and_nothing_is_sent(shown: Shown, tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    with pytest.raises(ApprovalMissing) as caught:
        find(str(tmp_path), shown.url, "", ENVIRON)
    assert f"SHA-256 {shown.fingerprint.upper()}" in caught.value.evidence
    assert caught.value.next_command.endswith(f"--ask-proxmox {shown.url} --fingerprint {shown.fingerprint.upper()}")
    assert shown.asked == []
    assert not (tmp_path / "blackstart.yaml").exists()
    with pytest.raises(ApprovalMissing) as caught:
        find(str(tmp_path), shown.url, "", ENVIRON, entry="clusters/attic")
    assert f" --git-path clusters/attic --ask-proxmox {shown.url} " in (caught.value.next_command or "")


def test_another_certificate_than_the_confirmed_one_gets_no_token(shown: Shown, tmp_path: Path) -> None:
    with pytest.raises(PermanentError):
        find(str(tmp_path), shown.url, PIN, ENVIRON)
    assert shown.asked == []


def test_nobody_there_and_no_tls_are_told_apart(shown: Shown) -> None:
    shown.server.shutdown()
    with pytest.raises(TransientError, match="nobody answers"):
        shown_by("https://127.0.0.1:1")
    plain = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=plain.handle_request, daemon=True).start()
    with pytest.raises(PermanentError, match="does not speak TLS"):
        shown_by(f"https://127.0.0.1:{plain.server_port}")
    plain.server_close()


@pytest.mark.parametrize(("url", "environ", "told"), [
    ("http://10.0.0.11:8006", ENVIRON, "--ask-proxmox"), ("https://10.0.0.11:8006/#v1", ENVIRON, "--ask-proxmox"),
    (URL, {}, "PROXMOX_TOKEN_ID and PROXMOX_TOKEN_SECRET of the environment are not set"),
    (URL, ENVIRON | {"PROXMOX_TOKEN_SECRET": ""}, "PROXMOX_TOKEN_SECRET of the environment is not set"),
    (URL, ENVIRON | {"PROXMOX_TOKEN_ID": "root@pam"}, "PROXMOX_TOKEN_ID: "),
])  # fmt: skip
def test_what_is_typed_wrongly_is_told(url: str, environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        find(".", url, PIN, environ)
    assert told in caught.value.what


# The small house of the repository: cp-1 with its MAC …:01 and w-1 with …:04; the modelled Proxmox has VMs with both.


@pytest.fixture
def built(tmp_path: Path) -> Running:
    """A Proxmox with four VMs, two of which are the repository's; w-1 has three disks and more."""
    given = a_house()
    nodes = tuple(replace(node, hardware=RICH) if node.name == "w-1" else node for node in given.nodes)
    return Running.bootstrapped(tmp_path / "state", replace(given, nodes=nodes))


def asked(built: Running) -> FoundProxmox:
    party = ModelledProxmox(built.home.proxmox, built.house.proxmox.token_id)
    views: Callable[[ProxmoxAccess, Callable[[], Secret]], ProxmoxView] = lambda access, secret: party  # noqa: E731
    before = list(built.home.world.faults.reached)
    found = find(".", URL, PIN, ENVIRON, views)
    assert built.home.world.faults.reached == before, "it changed something"
    return found


def test_what_was_found_is_filled_in_and_the_house_plans_as_it_is(built: Running, tmp_path: Path) -> None:
    """The settings that are written, with the rest filled in by hand, describe each VM exactly: no drift, and nothing beyond."""
    folder = tmp_path / "repo"
    folder.mkdir()
    write_repository(folder).unlink()
    written = write_settings(folder, builder(), lambda: built.house.id, asked(built))
    paths = {mark.path.partition(".")[0].partition("[")[0] for mark in written.marks}
    assert not {"proxmox", "nodes", "node_defaults"} & paths, written.marks
    text = written.file.read_text()
    assert f"fingerprint: {PIN}" in text and "hosts: [pve-1, pve-2, pve-3, pve-4]" in text
    fill_in(written.file)
    house = load(written.file, builder())
    by_id = {vm.vm_id: vm for vm in ModelledProxmox(built.home.proxmox).vms()}
    for node in house.nodes:
        vm = by_id[node.vm_id]
        assert differences(vm, node) == ()
        found = lost(vm, node)
        assert (found.add, found.by_hand) == ((), ())
    assert {node.name: (node.host, node.vm_id) for node in house.nodes} == {"cp-1": ("pve-1", 8001), "w-1": ("pve-4", 8004)}
    assert house.node("w-1").hardware.card.vlan == 20
    assert CreateVm(house, house.nodes[0]).by_hand()


def test_a_node_without_a_vm_keeps_its_marks_with_hosts_and_a_free_id(built: Running, tmp_path: Path) -> None:
    found = asked(built)
    found = replace(found, vms={mac: vm for mac, vm in found.vms.items() if vm.name == "cp-1"}, taken=frozenset({8000, 8001}))
    write_repository(tmp_path).unlink()
    written = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", found)
    text = written.file.read_text()
    assert f"host: {FILL_IN}  # no VM has bc:24:11:00:00:04, so one is made; the host it is to run on: one of pve-1" in text
    assert f"vm_id: {FILL_IN}  # one that is free, as 8002" in text


def test_a_vm_whose_host_is_down_is_not_taken_for_none(built: Running, tmp_path: Path) -> None:
    built.home.proxmox.hosts["pve-4"].online = False
    write_repository(tmp_path).unlink()
    text = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", asked(built)).file.read_text()
    assert "so one is made" not in text
    assert f"host: {FILL_IN}  # VM 8004 (w-1) on pve-4 could not be read, and may have bc:24:11:00:00:04; " in text
    assert f"vm_id: {FILL_IN}  # its VM's number, or one that is free, as 8000" in text


def test_what_the_token_may_not_see_is_not_taken_for_none(built: Running, tmp_path: Path) -> None:
    blind = LabToken("blind@pve!blind", "unused", rights={"/": frozenset({"Sys.Audit"})})
    built.home.proxmox.access.add_token(blind)
    party = ModelledProxmox(built.home.proxmox, blind.token_id)
    found = find(".", URL, PIN, ENVIRON, lambda access, secret: party)
    write_repository(tmp_path).unlink()
    text = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", found).file.read_text()
    assert "so one is made" not in text
    assert f"host: {FILL_IN}  # a VM that the token may not see (VM.Audit on /vms) could not be read, and may have bc:24" in text
    assert "pvesm set" not in text, "it would take the contents away that nobody saw"
    assert "  storage: local  # (usual); it needs content type `import`" in text


def test_a_mac_that_two_vms_have_chooses_neither(built: Running, tmp_path: Path) -> None:
    party = ModelledProxmox(built.home.proxmox, built.house.proxmox.token_id)
    twin = replace(next(vm for vm in party.vms() if vm.name == "w-1"), vm_id=9004, name="old")

    class Twice(ModelledProxmox):
        def vms(self) -> tuple[Vm, ...]:
            return (*super().vms(), twin)

    found = find(".", URL, PIN, ENVIRON, lambda access, secret: Twice(built.home.proxmox, built.house.proxmox.token_id))
    write_repository(tmp_path).unlink()
    text = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", found).file.read_text()
    assert f"host: {FILL_IN}  # VM 8004 (w-1) and VM 9004 (old) have bc:24:11:00:00:04; " in text
    assert f"vm_id: {FILL_IN}  # its VM's number, or one that is free, as 8000" in text


def test_a_node_whose_mac_git_does_not_tell_is_not_said_to_have_no_vm(built: Running) -> None:
    node = TalosNode("cp-9", "10.0.0.19", "", True, "/dev/sda", 3)
    text = nodes_text((node,), asked(built))
    assert "so one is made" not in text
    assert f"host: {FILL_IN}  # talconfig.yaml tells no MAC to find its VM by; " in text


def test_a_vm_without_a_disk_that_a_node_can_have_is_marked(built: Running) -> None:
    found = asked(built)
    bare = {mac: replace(vm, disks=()) for mac, vm in found.vms.items() if vm.name == "w-1"}
    (mac,) = bare
    text = nodes_text((TalosNode("w-1", "10.0.0.14", mac, False, "/dev/sda", 3),), replace(found, vms=bare))
    assert f"disks: [{{size: {FILL_IN}, storage: {FILL_IN}}}]" in text


def test_a_storage_that_takes_no_images_is_told_with_what_lets_it(built: Running, tmp_path: Path) -> None:
    for host in built.home.proxmox.hosts:
        storage = built.home.proxmox.storages.find(host, "local")
        assert storage is not None
        storage.content = frozenset({"iso", "backup"})
    write_repository(tmp_path).unlink()
    text = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", asked(built)).file.read_text()
    assert "  # no storage takes images yet; on any host: pvesm set local --content backup,import,iso\n  storage: local\n" in text


@pytest.mark.parametrize("ask", [False, True])
def test_every_mark_says_where_to_find_what_belongs_there(ask: bool, built: Running, tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    found = replace(asked(built), vms={}) if ask else None
    text = write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e", found).file.read_text()
    bare = [line for line in text.splitlines() if FILL_IN in line.partition("#")[0] and "#" not in line]
    assert bare == []


def test_a_blank_file_counts_as_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repository(tmp_path).write_text("\n")
    assert config.init(str(tmp_path), "", False) == EXIT_OK
    assert (tmp_path / "blackstart.yaml").read_text().startswith("# yaml-language-server")
    (tmp_path / "blackstart.yaml").write_text("# mine\n")
    assert config.init(str(tmp_path), "", False) == SettingsInvalid.exit_code
    assert "is there already" in capsys.readouterr().err
