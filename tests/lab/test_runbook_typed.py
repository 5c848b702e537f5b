"""Lines of the runbook that only read and need nothing but the house's folder, typed in bash with the page's own setup.

Those that ask a server are not typed here; tests/console/typed.py says which only read.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from console.verbs.cluster import bootstrap as cluster
from lab.houses.make import make_house
from lab.houses.nouns import SHAPES, Block, HouseFolder
from lab.houses.settings import settings_text
from tests.console.typed import Does, Line, lines_of, set_up
from tests.contract.apiserver import needed
from tools.places import CHECKOUT

pytestmark = pytest.mark.programs
ASKS_A_SERVER = re.compile(r"\b(kubectl|helmfile|restic|curl|talosctl -n|fetch)\b")
# Id → what the line must print, where the page says more than that it ends well.
SAYS = {
    "preflight.keys": r"^age1\w+\n$",
    "preflight.engines": r"^$",
    "preflight.versions": r"Talos v1\.",
    "preflight.kinds/flux": r"kind: ReplicationSource\n",
    "preflight.destination/": r"copyMethod: Snapshot",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See four_nodes_page."""
    needed("talhelper", "sops", "kubectl", "talosctl")
    return four_nodes_page(tmp_path_factory.mktemp("typed"))


def four_nodes_page(top: Path) -> Path:
    """The runbook of a house that is made and does not run; nobody answers at its addresses."""
    shape, folder, block = SHAPES["four-nodes"], HouseFolder(top / "four-nodes"), Block("127.99.0")
    make_house(shape, folder, block)
    prints = {node.host: ":".join(["AB"] * 32) for node in shape.nodes}
    folder.settings.write_text(settings_text(shape, block, prints, "ab" * 32))
    assert cluster.plan(str(folder.settings), False, True, str(top / "runbook.md")) == 0
    return top / "runbook.md"


def typed(page: Path, command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """One line in the shell that the page sets up, with the variables `given`."""
    environment = given | {"PATH": f"{CHECKOUT / '.tools' / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(page.parent)}
    script = f"set -o pipefail\n{set_up(page.read_text())}\n{command}\n"
    return subprocess.run(
        ["/bin/bash", "-c", script], cwd=page.parent, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_each_ends_well_and_says_what_the_page_says(page: Path) -> None:
    wrong, ran = [], list[Line]()
    for line in lines_of(page.read_text()):
        if line.does is Does.READS and not ASKS_A_SERVER.search(line.command):
            done = typed(page, line.command)
            said = next((pattern for name, pattern in SAYS.items() if line.name.startswith(name)), "")
            if done.returncode or not re.search(said, done.stdout):
                wrong.append(f"{line.name}: {done.returncode}: {line.command}\n{done.stdout[-300:]}\n{done.stderr[-500:]}")
            ran.append(line)
    assert wrong == [], "\n".join(wrong)
    assert {name for name in SAYS if any(line.name.startswith(name) for line in ran)} == SAYS.keys()


def test_the_command_that_upgrades_a_node_names_its_image_without_the_internet(page: Path) -> None:
    line = next(line for line in lines_of(page.read_text()) if line.name == "talos.version/cp-1")
    printed = typed(page, line.command.partition("; ")[2]).stdout
    assert re.search(r"--nodes=127\.99\.0\.11 --image=\S+:v1\.13\.9;", printed), printed
