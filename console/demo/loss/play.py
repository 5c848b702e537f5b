"""The bad days with the real programs, one after the other in one running house."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from console.demo.driving import end_left_over
from console.demo.full import SIMULATED
from console.demo.loss.wire import HOUSE, LOSER, NEIGHBOUR, SPEED, WireGround
from console.demo.loss.wire_scenes import WIRE_SCENES, WireScene
from console.demo.story import Act, Story
from console.views.page import Page
from engine.errors import EXIT_HELD, EXIT_OK, EXIT_STEP_FAILED, OurError
from lab.houses.nouns import HouseFolder
from lab.running.starting import daemon, start, stop


def play() -> int:
    """Play them; answers 0 when all of it held. The lab is down afterwards, also when the story broke off."""
    page, began = Page(sys.stdout, SIMULATED), time.monotonic()
    page.banner()
    folder = HouseFolder.of(HOUSE)
    end_left_over(folder.settings)  # what a demo that was killed left running: the verb that it drove, and the house
    if daemon(folder) is not None:
        stop(HOUSE, folder)
    story = Story(page, time.monotonic)
    try:
        on_the_wire(WireGround(folder, story), WIRE_SCENES)
    except (OurError, AssertionError) as error:
        broke_off(story, error)
    finally:
        stop(HOUSE, folder)
    page.say()
    page.show(story.table("seconds"))
    told = "Everything that was shown held" if story.holds else "NOT everything held: see above"
    page.say(f"\n{told}; {time.monotonic() - began:.0f} s in all.")
    page.banner()
    return EXIT_OK if story.holds else EXIT_STEP_FAILED


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
    start(HOUSE, "hosts-lost", SPEED, ground.folder)
    ground.show_verb(act, ground.run("cluster.bootstrap"), "cluster.bootstrap", (EXIT_OK, EXIT_HELD))
    ground.show_verb(act, ground.run("dr.restore"), "dr.restore")
    ground.ask("keep-versions")
    ground.truth = {app: ground.digest(app) for app in (LOSER, NEIGHBOUR)}
    files = {app: told["files"] for app, told in ground.truth.items()}
    ground.show(act, all(files.values()), ", ".join(f"{app} has {count} files" for app, count in files.items()))


def broke_off(story: Story, error: Exception) -> None:
    """The story goes no further here, and has not held."""
    told = f"the story broke off: {error} {' | '.join(getattr(error, 'evidence', ()))}".rstrip()
    story.say(told)
    story.acts.append(Act(told, held=False))
