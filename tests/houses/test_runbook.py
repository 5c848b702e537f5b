"""The runbook of a real house, with its settings filled in: what can be typed without its servers is, in bash.

Its backups lie where a mount of them would be. Its servers are nobody's: a line that asks one has the form of a line that
tests/lab/built/test_runbook.py types in a house of the lab, or a reason below.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kustomize.adapter import Kubectl
from console.verbs.cluster import bootstrap as cluster
from house.flux.building import Builder
from tests.console.typed import Does, Line, form, lines_of
from tests.contract.apiserver import needed, program
from tests.houses.elsewhere import NO_HOUSE
from tests.houses.filled import filled
from tests.houses.test_shapes import REAL
from tests.lab.test_runbook_typed import four_nodes_page, typed
from tests.proof.sealing import cheapen

pytestmark = pytest.mark.programs
ASKS_A_SERVER = re.compile(r"\b(kubectl|helmfile|curl|talosctl -n|fetch)\b")
APPS = ("authentik", "gatus", "paperless", "pgadmin", "searxng")
PASSWORD = "only-of-this-test"
# Id → why it is neither typed here nor of a form that is typed in the lab.
ELSEWHERE = {
    "preflight.keys": "needs the age key of this very house",
    "preflight.snapshot-class": "kubectl get with names, of a kind that the lab's house names none of",
    "preflight.mount": "typed against a real API server in tests/contract/kubernetes/test_hold.py",
    "dr.database-pin": "the line of preflight.archive",
    "database.own-archive": "the line of preflight.archive, after a look at a Cluster, which no house of the lab has",
    "preflight.archive": "typed against a store in tests/adapters/archives/test_archives.py",
}
SAYS = {
    "preflight.backup/": r"\n1 snapshots\n(.*\n)*no errors were found\n",
    "preflight.backup-age/": r"\n1 snapshots\n",
    "preflight.versions": r"Talos v1\.",
    "preflight.kinds/flux": r"kind: ReplicationSource\n",
    "preflight.destination/": r"kind: ReplicationDestination(.*\n)*.*copyMethod: .*Snapshot",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not REAL.is_dir():
        pytest.skip(NO_HOUSE)
    needed("talhelper", "sops", "kubectl", "talosctl", "restic")
    kubectl = program("kubectl")
    assert kubectl is not None
    top = tmp_path_factory.mktemp("real")
    settings = filled(REAL, top, Builder(Kubectl(lambda: Path(kubectl)), top / "kept"))
    back_up(top / "backups" / APPS[0])
    for app in APPS[1:]:
        shutil.copytree(top / "backups" / APPS[0], top / "backups" / app)
    # The copy of the house is without its Talos secrets, which stop a run and no runbook.
    assert cluster.plan(str(settings), False, True, str(top / "runbook.md")) in (0, 20, 30)
    yield top / "runbook.md"


def back_up(place: Path) -> None:
    """A repository with one snapshot."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "RESTIC_PASSWORD": PASSWORD}
    restic = [str(program("restic")), "--quiet", "--no-cache", "--repo", str(place)]
    for words in (["init"], ["backup", "--host", "volsync", __file__]):
        subprocess.run([*restic, *words], env=environment, check=True, capture_output=True, timeout=60)
        if words == ["init"]:
            cheapen(place, PASSWORD)


def reading(page: Path) -> list[Line]:
    """Lines that only read; what two parts of the page say alike, once."""
    return list(dict.fromkeys(line for line in lines_of(page.read_text()) if line.does is Does.READS))


def test_what_asks_no_server_ends_well_and_says_what_the_page_says(page: Path) -> None:
    wrong, ran = [], 0
    for line in reading(page):
        if line.name in ELSEWHERE or ASKS_A_SERVER.search(line.command):
            continue
        done, ran = typed(page, line.command, RESTIC_PASSWORD=PASSWORD), ran + 1
        said = next((pattern for name, pattern in SAYS.items() if line.name.startswith(name)), "")
        if done.returncode or not re.search(said, done.stdout):
            wrong.append(f"{line.name}: {done.returncode}: {line.command}\n{done.stdout[-300:]}\n{done.stderr[-500:]}")
    assert wrong == [], "\n".join(wrong)
    assert ran > 10


def test_the_command_that_upgrades_a_node_is_made_of_this_house_s_own_configuration(page: Path) -> None:
    upgrades = [line for line in reading(page) if line.name.startswith("talos.version/")]
    assert len(upgrades) == 4
    for line in upgrades:
        printed = typed(page, line.command.partition("; ")[2])
        assert re.search(r"--image=factory\.talos\.dev/\S+:v1\.10\.6;", printed.stdout), printed


def test_what_asks_a_server_has_the_form_of_a_line_that_is_typed_in_the_lab(page: Path, tmp_path: Path) -> None:
    in_the_lab = {form(line) for line in reading(four_nodes_page(tmp_path))}
    asking = [line for line in reading(page) if ASKS_A_SERVER.search(line.command)]
    strange = [line for line in asking if form(line) not in in_the_lab and line.name.partition("/")[0] not in ELSEWHERE]
    assert strange == [], "\n".join(f"{line.name}: {line.command}\n  {form(line)}" for line in strange)


def test_every_line_is_a_command_that_bash_can_read(page: Path) -> None:
    for line in lines_of(page.read_text()):
        done = subprocess.run(["/bin/bash", "-n", "-c", line.command], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{line.name}: {line.command}\n{done.stderr}"
