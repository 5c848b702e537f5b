"""Whether Talos itself would take a machineconfig: asked of talosctl, which has the same code for it. Knows no machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from lab.parts.errors import ProgramMissing
from lab.parts.programs import find

_TIMEOUT_S = 60.0


def problem(text: str, mode: str = "cloud") -> str:
    """Why Talos refuses this configuration, in its own words; "" where it takes it, and where there is no talosctl to ask.

    `mode`: what the machine runs on; `metal` is one that is still to be installed. The file has keys in it: its owner's alone.
    """
    try:
        talosctl = find("talosctl")
    except ProgramMissing:
        return ""
    with tempfile.TemporaryDirectory(prefix="lab-machineconfig-") as folder:
        path = Path(folder) / "machineconfig.yaml"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
        asked = (str(talosctl), "validate", "--mode", mode, "--config", str(path))
        answer = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
            env={"HOME": folder, "PATH": os.environ.get("PATH", "")},
        )  # fmt: skip
    return "" if answer.returncode == 0 else answer.stderr.strip() or f"talosctl validate ended with {answer.returncode}"
