"""The runbook's lines that only read, typed in a house of the lab as a person would: in bash, with the page's setup.

What is not typed has its reason in tests/console/typed.py, and is counted.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from tests.console.typed import Does, Line, lines_of, set_up
from tools.places import CHECKOUT

# Id of a step or check → what its line must print, where the page says more than that it ends well.
SAYS = {
    "kubernetes.nodes": r"(?s)^NAME.*( Ready .*){4}",
    "kubernetes.api-servers": r"^ok\nok\nok\n$",
    "hold.in-place": r"(?s)(.*blackstart.*\n){3}",
    "preflight.crds/": r"^[1-9]\d*\n$",
    "preflight.backup/": r"(?s)\d+ snapshots?",
    "preflight.image": r"^$",
    "talos.version/": r"(?s)Tag: +v1\..*talosctl upgrade",
    "preflight.kinds/": r"kind: \w+",
    "preflight.destination/": r"copyMethod",
}


def type_all(page: Path) -> tuple[Counter[Does], list[str]]:
    """Type every line that only reads: how many there are of each kind, and those that did not end, or say, as they should."""
    lines = lines_of(page.read_text())
    wrong = []
    for line in lines:
        if line.does is not Does.READS:
            continue
        done = typed(page, line)
        said = next((pattern for name, pattern in SAYS.items() if line.name.startswith(name)), "")
        if done.returncode or not re.search(said, done.stdout):
            wrong.append(f"{line.name}: {done.returncode}: {line.command}\n{done.stdout[-300:]}\n{done.stderr[-500:]}")
    return Counter(line.does for line in lines), wrong


def typed(page: Path, line: Line) -> subprocess.CompletedProcess[str]:
    """One line in the shell that the page sets up."""
    home = page.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{CHECKOUT / '.tools' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    script = f"set -o pipefail\n{set_up(page.read_text())}\n{line.command}\n"
    environment = {"PATH": path, "HOME": str(home), "HELMFILE_UPGRADE_NOTICE_DISABLED": "1"}
    return subprocess.run(
        ["/bin/bash", "-c", script], cwd=page.parent, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
