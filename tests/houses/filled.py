"""A real house with settings that `config.init` wrote and a person filled in, so that plans and runbooks of it can be made."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from house.first.writing import write_settings
from house.flux.building import Builder

# What only a person knows: the setting's name → what this one says. Nobody answers at any of these places.
_SAYS = (
    (r"proxmox\.endpoints\[\d\]\.url", "https://pve.house.invalid:8006"),
    (r"proxmox\.endpoints\[\d\]\.fingerprint", f'"{":".join(["AB"] * 32)}"'),
    (r"proxmox\.token\.id", "blackstart@pve!run"),
    (r".*\.storage", "local-zfs"),
    (r".*\.cores", "6"),
    (r".*\.memory", "32GiB"),
    (r".*\.disks\[0\]\.size", "64GiB"),
    (r".*\.disks\[\d\]\.size", "500GiB"),
    (r"nodes\.(.*)\.host", r"pve-\1"),
    (r"nodes\.\D*(\d+)\.vm_id", r"8\1"),
    (r"backups\.password", "env:RESTIC_PASSWORD"),
    (r"backups\.open_as\[\d\]\.open", "{backups}/{app}"),
    (r"backups\.databases\..*\.environment\.(\w+)", r"env:\1"),
)


def filled(real: Path, folder: Path, builder: Builder) -> Path:
    """A copy of the house in Git, with its settings whole; the settings file. Backups are opened in `folder`/backups.

    Raises KeyError for a mark that nobody knows.
    """
    root = folder / "house"
    shutil.copytree(real, root)
    root.chmod(0o755)
    for below in root.rglob("*"):
        below.chmod(0o755 if below.is_dir() else 0o644)
    written = write_settings(root, builder)
    lines = written.file.read_text().splitlines()
    for mark in written.marks:
        said = _said(mark.path).replace("{backups}", str(folder / "backups"))
        lines[mark.line - 1] = lines[mark.line - 1].replace("FILL_IN", said, 1)
    written.file.write_text("\n".join(lines) + "\n")
    author = ("-c", "user.name=house", "-c", "user.email=house@house.invalid")
    for words in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "The house as it is")):
        subprocess.run(["git", "-C", str(root), *words], check=True, timeout=60)
    return written.file


def _said(name: str) -> str:
    for pattern, value in _SAYS:
        if found := re.fullmatch(pattern, name):
            return found.expand(value)
    raise KeyError(name)
