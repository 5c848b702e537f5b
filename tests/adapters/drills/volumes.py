"""A restored volume of files, and a pod's shell beside it that runs a preset's script on it as a kubelet would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from adapters.drills.probes import SCRIPTS, told
from adapters.drills.results import Examined, Health
from house.values.rehearsing import Preset

BASICS = (
    "sh", "cat", "cut", "find", "grep", "head", "ls", "readlink", "sed", "tail", "tr", "wc",
)  # fmt: skip


@dataclass
class Volume:
    """A restored volume beside a pod's /tmp, and the programs that the image has."""

    root: Path
    programs: tuple[str, ...] = ("python3",)
    fakes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data, self.own, self.bin = (self.root / name for name in ("data", "own", "bin"))
        for folder in (self.data, self.own, self.bin):
            folder.mkdir(parents=True)

    def file(self, path: str, content: bytes = b"x") -> Path:
        at = self.data / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(content)
        return at

    def seen(self, preset: Preset, *paths: str) -> Examined:
        """What the probe says."""
        for name in BASICS:
            # What were written to a link would be written to the machine's own program.
            if not (self.bin / name).exists() and name not in self.fakes:
                (self.bin / name).symlink_to(shutil.which(name) or name)
        for name in self.programs:
            target = sys.executable if name == "python3" else shutil.which(name)
            (self.bin / name).exists() or (self.bin / name).symlink_to(target or name)
        for name, body in self.fakes.items():
            (self.bin / name).unlink(missing_ok=True)
            (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.bin / name).chmod(0o755)
        text = SCRIPTS[preset].replace("/tmp", str(self.own)).replace("cd /data", f"cd {self.data}")
        text = text.replace("/usr/lib/postgresql", "/no")
        env = {"PATH": str(self.bin), "PATHS": "\n".join(paths)}
        done = subprocess.run(["/bin/sh", "-c", text], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        assert done.stderr == "", done
        return told(done.stdout)


def health(of: Examined) -> tuple[Health | None, str]:
    return of.health, of.detail
