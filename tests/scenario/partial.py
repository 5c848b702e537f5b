"""The judge of the bad days: `python -m tests.scenario.partial [SCENE...]`; a table at the end, exit code 1 on any miss.

It plays the scenes of `lab.demo --part loss` and believes nothing of what they show: by its own digests it says what must be on
each volume after a scene, it counts for itself what a neighbour went through, and looks at the store for every snapshot of that.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.volsync.results import FileEntry
from console.demo.loss.ground import Ground
from console.demo.loss.modelled import SCENES, Scene
from console.demo.modelled import MODELLED
from console.demo.story import Act, Story
from console.page import Page
from lab.lost import LOSER, NEIGHBOUR
from lab.neighbours import Key, Watch

UNDISTURBED = dict.fromkeys(("restore", "undo", "file", "undelete"), (NEIGHBOUR,)) | {"host": (LOSER, NEIGHBOUR)}
"""Who must notice nothing of a scene."""
WRITTEN: dict[str, dict[Key, tuple[str, str]]] = {
    "disks": {LOSER: ("notes/late.md", "written after the snapshot of etcd\n")},
    "rebuild": {
        key: (f"{key[1]}/last.md", f"{key[1]}: the last write, in no backup\n") for key in (LOSER, NEIGHBOUR)
    },
}  # fmt: skip
"""What an application writes during a scene, and must still have after it; all else must be as it was before."""


@dataclass(frozen=True)
class Verdict:
    """What became of one scene: `misses` in words, none where all is as it must be."""

    scene: str
    misses: tuple[str, ...]
    counted: str
    cpu_s: float


def volume(entries: Iterable[FileEntry]) -> dict[str, str]:
    """What is on a volume: each path and the digest of what is in it."""
    return {entry.path: entry.sha256 for entry in entries}


def judged(ground: Ground, scene: Scene) -> Verdict:
    """Play one scene, and look at what it has left."""
    must = {key: volume(ground.entries(key)) for key in (LOSER, NEIGHBOUR)}
    for key, (path, text) in WRITTEN.get(scene.name, {}).items():
        must[key] |= {path: hashlib.sha256(text.encode()).hexdigest()}
    watch = Watch(ground.home, *UNDISTURBED[scene.name]) if scene.name in UNDISTURBED else None
    act, began = Act(scene.title), time.process_time()
    try:
        scene.play(ground, act)
    except AssertionError as error:
        return Verdict(scene.name, (f"it broke off: {error}",), "", time.process_time() - began)
    misses = [line for line in act.shown if line.startswith("DOES NOT HOLD")]
    misses += [] if act.shown else ["it showed nothing"]
    for key in must:
        misses += differences("/".join(key), must[key], volume(ground.entries(key)))
    counts = watch.end() if watch is not None else {}
    misses += [f"{'/'.join(key)}: {count.told}" for key, count in counts.items() if not count.undisturbed]
    newest = ground.repository(ground.claim(NEIGHBOUR)).snapshots[-1]
    if counts and volume(newest.entries) != must[NEIGHBOUR]:
        misses.append(f"the neighbour's newest snapshot, {newest.snapshot_id[:8]} of {newest.pin}, is not what it has")
    told = "; ".join(f"{key[1]}: {count.told}" for key, count in counts.items())
    return Verdict(scene.name, tuple(misses), told, time.process_time() - began)


def differences(name: str, must: dict[str, str], found: dict[str, str]) -> list[str]:
    """Where a volume is not what it must be, in words."""
    lacks = sorted(must.keys() - found.keys())
    others = sorted(path for path in must.keys() & found.keys() if must[path] != found[path])
    more = sorted(found.keys() - must.keys())
    told = ((lacks, "is not there"), (others, "is another"), (more, "should not be there"))
    return [f"{name}: {paths[0]} {what}, and {len(paths) - 1} more" for paths, what in told if paths]


def judge(scenes: Sequence[Scene], folder: Path) -> list[Verdict]:
    """One house, all of these scenes in their order."""
    ground = Ground(folder, Story(Page(io.StringIO(), MODELLED), lambda: 0.0))
    ground.build()
    return [judged(ground, scene) for scene in scenes]


def table(verdicts: Iterable[Verdict]) -> str:
    """What a person reads at the end."""
    lines = []
    for one in verdicts:
        lines.append(f"{one.scene:<9} {'held' if not one.misses else 'MISSED':<7} {one.cpu_s:5.1f} s CPU  {one.counted}".rstrip())
        lines += [f"          {miss}" for miss in one.misses]
    return "\n".join(lines)


def main(names: list[str]) -> int:
    """Judge these scenes or all: 0 where all held, 1 on any miss, 2 for a name that is none."""
    if unknown := [name for name in names if name not in {scene.name for scene in SCENES}]:
        sys.stdout.write(f"no such scene: {', '.join(unknown)}. There are: {', '.join(scene.name for scene in SCENES)}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="partial-") as folder:
        verdicts = judge([scene for scene in SCENES if not names or scene.name in names], Path(folder))
    missed = sum(bool(one.misses) for one in verdicts)
    told = f"{missed} of {len(verdicts)} missed" if missed else f"all {len(verdicts)} held"
    sys.stdout.write(f"{table(verdicts)}\n{told} (modelled)\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
