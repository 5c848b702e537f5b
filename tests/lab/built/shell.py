"""A person's shell in a house of the lab: it has kubectl, and nothing of ours."""

from __future__ import annotations

import subprocess

from tests.crash.wire.bench import Bench
from tools.locate import need


def typed(bench: Bench, line: str) -> str:
    """Type one line; answers what it printed. CalledProcessError when it does not end well."""
    home = {"HOME": str(bench.folder.root), "KUBECONFIG": str(bench.state / "kubeconfig")}
    environment = {"PATH": f"{need('kubectl').parent}:/usr/bin:/bin", **home}
    done = subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout
