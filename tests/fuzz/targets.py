"""What is fuzzed: settings, talconfig, helmfile, Kustomizations, journal. Each is read in process, as a run would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from engine.errors import JournalDamaged, SettingsInvalid
from engine.journal import JOURNAL_FILE, read_state
from engine.sealed.chain import Chain
from engine.sealed.entries import Begin, End, Header, Line, Note, encode
from house.files import yamlfile
from house.flux.building import Builder
from house.loader import Part, load
from tests.fuzz.mutations import mutated
from tests.house.small_house import FILES, SETTINGS, write_repository

SOON_S, MEMORY_MB = 5.0, 500
FUZZED = {
    "settings": "blackstart.yaml", "talconfig": "talos/talconfig.yaml", "helmfile": "bootstrap/helmfile.yaml",
    "kustomization": "kubernetes/apps/apps/notes/ks.yaml", "source": "kubernetes/apps/apps/photos/app/backup.yaml",
}  # fmt: skip


class Told:
    """A kustomize that prints the manifests which a build reads: no process, and what is read is what was fuzzed."""

    def identity(self) -> str:
        """Always the same."""
        return "told"

    def build(self, folder: Path) -> bytes:
        """Every manifest below the folder, as it is."""
        parts = [file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.rglob("*.y*ml")) if file.is_file()]
        return "\n---\n".join(part.removeprefix("---\n") for part in parts if "kind: Kustomization\nresources" not in part).encode()


def good(name: str) -> Any:
    """The good file's documents as one value."""
    text = SETTINGS if name == "settings" else FILES[FUZZED[name]]
    return [document.value for document in yamlfile.parse(text)]


def read(name: str, documents: Any, root: Path, parts: Collection[Part] = tuple(Part)) -> None:
    """Read these parts of the small house with this file in place of the good one. Raises whatever is no refusal."""
    settings = write_repository(root)
    many = documents if isinstance(documents, list) else [documents]
    text = "\n---\n".join(json.dumps(document) for document in many)
    (root / FUZZED[name]).write_text(text, encoding="utf-8")
    for part in parts:
        with suppress(SettingsInvalid):
            load(settings, Builder(Told()), part)


def journal(bodies: list[dict[str, Any]], root: Path) -> None:
    """Read a journal of these contents, each under a sum that fits."""
    chain = Chain()
    lines = [chain.seal(json.dumps(body).encode("ascii")) for body in bodies]
    root.mkdir(parents=True, exist_ok=True)
    (root / JOURNAL_FILE).write_bytes(b"".join(lines))
    with suppress(JournalDamaged):
        read_state(root, lineage="5f1d7c2a9e")


def journal_bodies() -> list[dict[str, Any]]:
    """The lines of a good journal."""
    entries = (Header("5f1d7c2a9e"), Note("", "run", "begun"), Begin("a/b", "digest"), Note("a/b", "upid", "x"), End("a/b", "ok"))
    chain = Chain()
    sealed = [encode(Line(at, "run-1", 1.5 + at, entry), chain) for at, entry in enumerate(entries)]
    return [json.loads(line.partition(b" ")[2]) for line in sealed]


def cases(name: str) -> st.SearchStrategy[Any]:
    """Inputs for a target."""
    return mutated(journal_bodies() if name == "journal" else good(name))


def within_bounds(act: Callable[[], None]) -> None:
    """Do it, and fail when it took longer than it may, or more memory: at its peak, beyond what was in use before it.

    The peak of the process' whole life would count what thousands of examples before this one left with hypothesis.
    """
    PEAK.write_text("5")  # the peak begins anew
    before, began = _kib("VmRSS"), time.process_time()
    act()
    assert time.process_time() - began < SOON_S
    assert (_kib("VmHWM") - before) / 1024 < MEMORY_MB


def _kib(field: str) -> int:
    """One line of what Linux tells of this process, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{field}:")).split()[1])


PEAK = Path("/proc/self/clear_refs")
NAMES = (*FUZZED, "journal")
