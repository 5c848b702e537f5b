"""The bad days with the real programs, one after the other in one running house."""

from __future__ import annotations

from collections.abc import Iterable

from console.demo.loss.wire import HOUSE, LOSER, NEIGHBOUR, SPEED, WireGround
from console.demo.loss.wire_scenes import WIRE_SCENES, WireScene
from console.demo.onwire import broke_off, played
from console.demo.story import Act
from engine.errors import EXIT_HELD, EXIT_OK, OurError
from lab.running.starting import start


def play() -> int:
    """Play them; answers 0 when all of it held. The lab is down afterwards, also when the story broke off."""
    return played(HOUSE, lambda folder, story: on_the_wire(WireGround(folder, story), WIRE_SCENES))


def on_the_wire(ground: WireGround, scenes: Iterable[WireScene]) -> None:
    """One house, all of these scenes in their order. A scene that breaks off keeps the next from nothing but its house."""
    with ground.story.act("lab.up, cluster.bootstrap, dr.restore: the house that people live in") as act:
        begin(ground, act)
    for scene in scenes:
        try:
            with ground.story.act(scene.title) as act:
                scene.play(ground, act)
        except (OurError, AssertionError) as error:
            broke_off(ground.story, error)


def begin(ground: WireGround, act: Act) -> None:
    """Build it from bare hosts and the backups of the house that was."""
    ground.hear("waits for the lab: every door of the house, and the backups of the house that was")
    start(HOUSE, "hosts-lost", SPEED, ground.folder)
    ground.show_verb(act, ground.run("cluster.bootstrap"), "cluster.bootstrap", (EXIT_OK, EXIT_HELD))
    ground.show_verb(act, ground.run("dr.restore"), "dr.restore")
    ground.ask("keep-versions")
    ground.truth = {app: ground.digest(app) for app in (LOSER, NEIGHBOUR)}
    files = {app: told["files"] for app, told in ground.truth.items()}
    ground.show(act, all(files.values()), ", ".join(f"{app} has {count} files" for app, count in files.items()))
