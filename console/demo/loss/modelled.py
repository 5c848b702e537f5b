"""The scenes of a loss behind in-process doors, in the order in which one house goes through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.demo.loss import applications, machines, survivors
from console.demo.loss.ground import Ground
from console.demo.modelled import played
from console.demo.story import Act, Story
from console.views.page import Page


@dataclass(frozen=True)
class Scene:
    """One bad day: `name` in a word, `title` what happens, `play` does it and shows what must hold."""

    name: str
    title: str
    play: Callable[[Ground, Act], None]


SCENES = (
    Scene("restore", "one application's data are nonsense: dr.restore of it alone, its neighbour goes on", applications.restored),
    Scene("undo", "dr.undo: exactly what was there before the restore, and back again", applications.undone),
    Scene("file", "one file went bad and was backed up so: dr.list, dr.fetch", applications.one_file),
    Scene("undelete", "somebody pruned the backup: dr.undelete brings a former state of the bucket", applications.undeleted),
    Scene("host", "one host is dead: cluster.replace-node makes its node elsewhere", machines.host_dead),
    Scene("quorum", "two of three control planes are gone: cluster.recover-etcd from the third one's disk", machines.quorum_lost),
    Scene("disks", "etcd's disks are gone, data disks live: cluster.recover-etcd from a snapshot", machines.disks_gone),
    Scene("power", "cluster.stop, a day later cluster.start", machines.off_and_on),
    Scene("rebuild", "dr.checkpoint, every VM wiped, built and restored: not one write is missing", machines.rebuilt),
    Scene("survivors", "every VM is gone, volumes are not: one newer than its backup, one unreadable", survivors.outlived_them),
)  # fmt: skip


class Losses:
    """One modelled house, and all that befalls it."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.story = Story(page, lambda: self.ground.clock.monotonic())
        self.ground = Ground(folder, self.story)

    def play(self) -> None:
        """All scenes."""
        self.ground.build()
        for scene in SCENES:
            with self.story.act(scene.title) as act:
                scene.play(self.ground, act)


def play() -> int:
    """Play them; answers 0 when all of it held."""
    return played(Losses)
