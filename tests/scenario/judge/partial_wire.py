"""The judge's eyes in a running house: files of volumes as they lie on its disk, and a watch of its own. Believes no scene."""

from __future__ import annotations

import hashlib
import io
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from console.demo.loss.play import begin
from console.demo.loss.wire import HOUSE, LOSER, NEIGHBOUR, Watch, WireGround
from console.demo.loss.wire_scenes import WireScene
from console.demo.onwire import SIMULATED
from console.demo.story import Act, Story
from console.views.page import Page
from engine.errors import OurError
from lab.houses.nouns import HouseFolder
from lab.running.starting import stop
from tests.scenario.judge.progress import Progress
from tests.scenario.judge.verdicts import Verdict, Volume, differences, shown_amiss

BREAKS = (OurError, AssertionError, OSError, subprocess.SubprocessError)
"""What a scene ends early by."""
UNDISTURBED = frozenset({"restore", "undo", "file", "undelete", "host"})
"""Scenes of which the neighbour must notice nothing."""


def written(text: str) -> str:
    """The digest of a file of this text."""
    return hashlib.sha256(text.encode()).hexdigest()


WRITTEN: dict[str, dict[str, tuple[str, str]]] = {
    "restore": {LOSER: ("journal/today.txt", "written today\n")},
    "file": {LOSER: ("journal/today.txt", "spoilt\n")},
    "disks": {LOSER: ("journal/late.txt", "written after the snapshot of etcd\n")},
    "survivors": {LOSER: ("journal/later.txt", "written after the last backup\n")},
    "rebuild": {app: ("journal/last.txt", f"{app}: the last write, in no backup\n") for app in (LOSER, NEIGHBOUR)},
}
"""What an application writes during a scene, and must still have after it; all else must be as it was before."""


def volume(ground: WireGround, app: str) -> Volume:
    """What lies on an application's volume, `lost+found` left out; nothing where none is bound."""
    name = ground.volume(app)
    top = ground.folder.parts / "disks" / "volumes" / name
    files = [path for path in sorted(top.rglob("*")) if path.is_file() and path.relative_to(top).parts[0] != "lost+found"]
    return {str(path.relative_to(top)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} if name else {}


def judged(ground: WireGround, scene: WireScene) -> Verdict:
    """Play one scene, and look at what it has left. A house that does not answer any more is a miss, and ends no other scene."""
    act, began, told = Act(scene.title), time.monotonic(), ""
    watch: Watch | None = None
    try:
        must = {app: volume(ground, app) for app in (LOSER, NEIGHBOUR)}
        for app, (path, text) in WRITTEN.get(scene.name, {}).items():
            must[app] |= {path: written(text)}
        watch = ground.watch(NEIGHBOUR) if scene.name in UNDISTURBED else None
        scene.play(ground, act)
        misses = shown_amiss(act.shown)
        for app, files in must.items():
            misses += differences(app, files, volume(ground, app))
        if watch is not None:
            seen = watch.end()
            told = f"{NEIGHBOUR}: {seen.told}"
            misses += [told] if not seen.undisturbed else []
    except BREAKS as error:
        misses = _broke_off(act, error)
        if watch is not None:
            with suppress(*BREAKS):
                watch.end()
    return Verdict(scene.name, "wire", tuple(misses), told, time.monotonic() - began)


def _broke_off(act: Act, error: Exception) -> list[str]:
    """What did not hold until then, and that."""
    return [*(shown_amiss(act.shown) if act.shown else ()), f"it broke off: {error}"]


def judge(scenes: Sequence[WireScene], root: Path, progress: Progress) -> list[Verdict]:
    """One running house in this folder, all of these scenes in their order; nothing of it is left running."""
    folder = HouseFolder(root / HOUSE)
    ground = WireGround(folder, Story(Page(io.StringIO(), SIMULATED), time.monotonic), progress.at)
    verdicts: list[Verdict] = []
    try:
        act, began = Act("lab.up, cluster.bootstrap, dr.restore: the house that people live in"), time.monotonic()
        progress.begins("wire", "the house", act.title)
        if amiss := _begun(ground, act):
            return [Verdict("the house", "wire", tuple(amiss), "", time.monotonic() - began)]
        for scene in scenes:
            progress.begins("wire", scene.name, scene.title)
            verdicts.append(judged(ground, scene))
            progress.ends(verdicts[-1])
        return verdicts
    finally:
        progress.at("waits for the house's programs to end")
        stop(HOUSE, folder)


def _begun(ground: WireGround, act: Act) -> list[str]:
    """Build the house that people live in; what of that does not hold, in words."""
    try:
        begin(ground, act)
    except BREAKS as error:
        return _broke_off(act, error)
    return shown_amiss(act.shown)
