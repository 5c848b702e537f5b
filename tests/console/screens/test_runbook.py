"""The runbook of a whole house can be followed by hand: every command is one, in order, and none of them is this tool."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.course import course
from cluster.storage.nas.check import NasFolder, NasPart
from cluster.storage.nas.judge import Part
from console.screens.runbook import write_runbook
from house.model import SecretRef
from house.values.nas import Nas
from recovery.course import course as restore_course
from tests.builders import a_house
from tests.console.typed import Does, Line, lines_of, without_comment
from tools.manifest import Need, needed_by
from tools.places import Places

BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    house = a_house()
    write_runbook(tmp_path / "runbook.md", house, course(house, {}), restore_course(house, house.claims))
    return tmp_path / "runbook.md"


def test_every_command_is_whole_and_none_needs_this_tool(page: Path) -> None:
    commands = BLOCK.findall(page.read_text())
    assert len(commands) > 40
    bash = shutil.which("bash")
    assert bash is not None
    read = subprocess.run([bash, "-n"], input="\n".join(commands), capture_output=True, text=True, timeout=20, check=False)
    assert (read.returncode, read.stderr) == (0, "")
    assert [command for command in commands if "invoke " in command] == []


def test_the_first_block_makes_the_programs_known_and_the_page_names_them(page: Path) -> None:
    text = page.read_text()
    first = BLOCK.findall(text)[0].splitlines()
    assert first[0] == f'export PATH={Places().programs}:"$PATH"'
    before = text[: text.index("```sh")]
    assert [program.name for program in needed_by(Need.RUN) if program.name not in before] == []


def test_every_item_has_its_command(page: Path) -> None:
    items = re.findall(r"^\d+\. \*\*(\S+)\*\* .*\n\n( {4}```sh)?", page.read_text(), re.MULTILINE)
    assert [name for name, block in items if not block] == []


def test_what_a_command_reads_is_made_before_it(page: Path) -> None:
    text = page.read_text()
    order = ["export KUBECONFIG=", "talhelper genconfig", "talosctl apply-config", "talosctl bootstrap", "talosctl kubeconfig"]
    order += ["kubectl get namespace", "create configmap hold", "hold-policies.json", "helmfile -f", "## The data", "restoreAsOf"]
    places = [text.rindex(part) if part == "helmfile -f" else text.index(part) for part in order]
    assert places == sorted(places)
    assert json.loads(page.with_name("hold-policies.json").read_text())["kind"] == "List"


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ("kubectl -n apps get pods   # those of notes are ready", Does.READS),
        ("kubectl get namespace apps || kubectl create namespace apps", Does.CHANGES),
        ("kubectl get kustomizations -A --watch", Does.CHANGES),
        ('A="$(printenv A)" restic -r s3:https://x/y --cacert ca.pem --no-lock snapshots', Does.READS),
        ("restic -r s3:https://x/y snapshots", Does.CHANGES),
        ("restic -r s3:https://x/y --no-lock forget abc", Does.CHANGES),
        ("talosctl -n 127.10.0.11 version", Does.READS),
        ("talosctl -n 127.10.0.11 reset", Does.CHANGES),
        ("pvecm status   # on any Proxmox host: `Quorate: Yes`", Does.ON_A_HOST),
        ("free -h; pvesm status   # on pve-1: memory", Does.ON_A_HOST),
        ("qm start 8001", Does.CHANGES),
        ("curl -sSf -X POST https://x", Does.CHANGES),
        ("git -C /x grep -n a > found.txt", Does.CHANGES),
        ("helmfile -f h.yaml template --selector name=a > /dev/null   # fetches a", Does.READS),
        ('ID="$(kubectl delete pod a)" echo done', Does.CHANGES),
        ("kubectl get pods && read -rp 'which: ' POD", Does.ASKS),
    ],
)
def test_what_a_line_does_is_told_in_one_place(command: str, does: Does) -> None:
    assert Line("a", command).does is does


def test_every_line_that_only_reads_is_one_that_can_be_pasted(page: Path) -> None:
    lines = lines_of(page.read_text())
    reading = [line for line in lines if line.does is Does.READS]
    assert len(reading) > 20
    commented = re.compile(r"  # .*(; *pveversion|talhelper |kubectl |talosctl )")
    assert [line for line in lines if commented.search(line.command)] == [], "a command in a comment is never run"
    astray = re.compile(r"(?<![\w.])git (?!-C )")
    assert [line for line in reading if astray.search(without_comment(line.command))] == [], "git where the page happens to lie"
    silent = re.compile(r"\bgrep -\w*[a-bd-z]\w* .*(?<!true)$")
    ends_wrong = [line for line in reading if line.name == "preflight.engines" and silent.search(without_comment(line.command))]
    assert ends_wrong == [], "no line found is the good answer, and grep calls it a failure"


@pytest.mark.parametrize(("trust", "looks"), [
    ({"ca_file": "/etc/nas ca.pem"}, "--cacert '/etc/nas ca.pem' https://nas.lan:443/api/versions   # versions; then in its web"),
    ({"fingerprint": "AB:CD"}, "| openssl x509 -noout -fingerprint -sha256   # AB:CD; then in its web page: "),
])  # fmt: skip
def test_a_nas_is_looked_at_by_hand_as_its_read_only_user_may(trust: dict[str, str], looks: str) -> None:
    nas = Nas("nas", "nas.lan", 443, trust.get("fingerprint", ""), trust.get("ca_file", ""), "blackstart", SecretRef(("env:K",)))
    folder = NasFolder(nas, "/mnt/tank/backup", False)
    assert folder.title == f"NAS {nas.name}: all that /mnt/tank/backup lies on is whole"
    for line in (folder.by_hand(), *(NasPart(nas, part).by_hand() for part in Part)):
        assert looks in line
        assert "root@" not in line and "midclt" not in line and " -k" not in line
    assert "/mnt/tank/backup is healthy" in folder.by_hand()


def test_a_nas_that_is_a_vm_has_its_way_back_and_a_machine_has_none(tmp_path: Path) -> None:
    machine = Nas("nas", "nas.lan", 443, "AB:" * 31 + "CD", "", "blackstart", SecretRef(("env:NAS_API_KEY",)))
    for nas, there in ((machine, False), (replace(machine, vm=105, vm_name="nas"), True)):
        house = a_house(nas=(nas,))
        write_runbook(tmp_path / "runbook.md", house, course(house, {}))
        text = (tmp_path / "runbook.md").read_text()
        assert ("## If VM 105 of NAS nas is lost" in text) == there
    order = ["qmrestore VOLUME 105", "/dev/disk/by-id/ID", "qm start 105", "Import Pool", "Unlock"]
    assert order == sorted(order, key=text.index)
