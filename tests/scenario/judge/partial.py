"""The judge of the bad days: `python -m tests.scenario.judge.partial [--modelled] [SCENE...]`; a table, exit code 1 on any miss.

It plays the scenes of `lab.demo --part loss` behind in-process doors, then with the real programs in one running house
(partial_wire.py), and believes nothing of what they show: by its own digests it says what must be on each volume after a scene, and
it counts for itself what a neighbour went through. Meanwhile it says what it is at, what is left, and whom it waits for.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from adapters.volsync.results import FileEntry
from console.demo.loss.ground import Ground
from console.demo.loss.modelled import SCENES, Scene
from console.demo.loss.wire_scenes import WIRE_SCENES
from console.demo.modelled import MODELLED
from console.demo.story import Act, Story
from console.views.page import Page
from engine.errors import OurError
from lab.modelled.lost import LOSER, NEIGHBOUR
from lab.modelled.neighbours import Key, Watch
from tests.scenario.judge import partial_wire
from tests.scenario.judge.progress import Progress
from tests.scenario.judge.verdicts import Verdict, Volume, differences, shown_amiss, table

UNDISTURBED = dict.fromkeys(("restore", "undo", "file", "undelete"), (NEIGHBOUR,)) | {"host": (LOSER, NEIGHBOUR)}
"""Who must notice nothing of a scene."""
BEGINS_WITH = {"undo": "restore", "file": "restore"}
"""What a scene finds in the house is what that one left there: who names it alone has both played."""
WRITTEN: dict[str, dict[Key, tuple[str, str]]] = {
    "disks": {LOSER: ("notes/late.md", "written after the snapshot of etcd\n")},
    "survivors": {LOSER: ("notes/later.md", "written after the last backup\n")},
    "rebuild": {
        key: (f"{key[1]}/last.md", f"{key[1]}: the last write, in no backup\n") for key in (LOSER, NEIGHBOUR)
    },
}  # fmt: skip
"""What an application writes during a scene, and must still have after it; all else must be as it was before."""


def volume(entries: Iterable[FileEntry]) -> Volume:
    """What is on a volume: each path and the digest of what is in it."""
    return {entry.path: entry.sha256 for entry in entries}


def judged(ground: Ground, scene: Scene) -> Verdict:
    """Play one scene, and look at what it has left."""
    must = {key: volume(ground.entries(key)) for key in (LOSER, NEIGHBOUR)}
    for key, (path, text) in WRITTEN.get(scene.name, {}).items():
        must[key] |= {path: hashlib.sha256(text.encode()).hexdigest()}
    watch = Watch(ground.home, *UNDISTURBED[scene.name]) if scene.name in UNDISTURBED else None
    act, began = Act(scene.title), time.monotonic()
    try:
        scene.play(ground, act)
    except (OurError, AssertionError) as error:
        return Verdict(scene.name, "modelled", (f"it broke off: {error}",), "", time.monotonic() - began)
    misses = shown_amiss(act.shown)
    for key in must:
        misses += differences("/".join(key), must[key], volume(ground.entries(key)))
    counts = watch.end() if watch is not None else {}
    misses += [f"{'/'.join(key)}: {count.told}" for key, count in counts.items() if not count.undisturbed]
    newest = ground.repository(ground.claim(NEIGHBOUR)).snapshots[-1]
    if counts and volume(newest.entries) != must[NEIGHBOUR]:
        misses.append(f"the neighbour's newest snapshot, {newest.snapshot_id[:8]} of {newest.pin}, is not what it has")
    told = "; ".join(f"{key[1]}: {count.told}" for key, count in counts.items())
    return Verdict(scene.name, "modelled", tuple(misses), told, time.monotonic() - began)


def judge(scenes: Sequence[Scene], folder: Path, progress: Progress) -> list[Verdict]:
    """One house, all of these scenes in their order."""
    progress.begins("modelled", "the house", "it is built, and lived in")
    ground, verdicts = Ground(folder, Story(Page(io.StringIO(), MODELLED), lambda: 0.0)), []
    ground.build()
    for scene in scenes:
        progress.begins("modelled", scene.name, scene.title)
        verdicts.append(judged(ground, scene))
        progress.ends(verdicts[-1])
    return verdicts


def summed(scenes: Sequence[tuple[str, str]], verdicts: Sequence[Verdict]) -> tuple[bool, str]:
    """Whether each of these scenes (its door, its name) was played and held, and that in words."""
    played = {(one.door, one.scene) for one in verdicts}
    missed = sum(bool(one.misses) for one in verdicts)
    unplayed = [f"{name} ({door})" for door, name in scenes if (door, name) not in played]
    told = f"{missed} of {len(verdicts)} missed" if missed else f"all {len(verdicts)} held"
    return not missed and not unplayed, told + (f"; NOT PLAYED: {', '.join(unplayed)}" if unplayed else "")


def chosen(names: Sequence[str]) -> set[str]:
    """The scenes to play: those, and what they begin with; all of them where none is named."""
    return {*names, *(BEGINS_WITH[name] for name in names if name in BEGINS_WITH)} or {scene.name for scene in SCENES}


def main(words: list[str]) -> int:
    """Judge these scenes or all: 0 where all held, 1 on any miss, 2 for a name that is none. `--modelled`: nothing is started."""
    names = [word for word in words if word != "--modelled"]
    if unknown := [name for name in names if name not in {scene.name for scene in SCENES}]:
        sys.stdout.write(f"no such scene: {', '.join(unknown)}. There are: {', '.join(scene.name for scene in SCENES)}\n")
        return 2
    wanted = chosen(names)
    modelled = [scene for scene in SCENES if scene.name in wanted]
    wire = [scene for scene in WIRE_SCENES if scene.name in wanted and "--modelled" not in words]
    scenes = [("modelled", scene.name) for scene in modelled] + [("wire", scene.name) for scene in wire]
    with tempfile.TemporaryDirectory(prefix="partial-") as folder, Progress(scenes) as progress:
        verdicts = judge(modelled, Path(folder, "modelled"), progress)
        if wire:
            verdicts += partial_wire.judge(wire, Path(folder), progress)
    held, told = summed(scenes, verdicts)
    sys.stdout.write(f"\n{table(verdicts)}\n{told}\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
