"""The judge of the bad days: two of its scenes, and that it sees what is not as it must be. All of them: `make prove`."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from console.demo.loss.ground import Ground
from console.demo.loss.modelled import SCENES, Scene
from console.demo.loss.wire import WireGround
from console.demo.loss.wire_scenes import WireScene
from console.demo.modelled import MODELLED
from console.demo.story import Act, Story
from console.views.page import Page
from lab.houses.nouns import HouseFolder
from lab.modelled.lost import LOSER, NEIGHBOUR
from lab.world.store import a_file
from tests.scenario.judge import partial_wire
from tests.scenario.judge.partial import BEGINS_WITH, chosen, judged, main, summed
from tests.scenario.judge.verdicts import Verdict, differences, table


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The house that people live in. Whoever changes it leaves it as it was, or comes last."""
    made = Ground(tmp_path_factory.mktemp("partial"), Story(Page(io.StringIO(), MODELLED), lambda: 0.0))
    made.build()
    return made


@pytest.mark.parametrize("name", ["restore", "host"])
def test_a_scene_holds_and_its_neighbours_were_counted(name: str, ground: Ground) -> None:
    (scene,) = [one for one in SCENES if one.name == name]
    found = judged(ground, scene)
    assert found.misses == ()
    assert "wiki: 0 restarts, 0 of " in found.counted and "probes missed" in found.counted


def _shown(ground: Ground, act: Act) -> None:
    ground.show(act, True, "all is well")


def spoilt(ground: Ground, act: Act) -> None:
    """It says that all is well, and has changed a neighbour's file."""
    _shown(ground, act)
    claim = ground.home.kube.objects().claims[NEIGHBOUR]
    claim.entries = (a_file(claim.entries[0].path, "another"), *claim.entries[1:])


def restarted(ground: Ground, act: Act) -> None:
    """It says that all is well, and the neighbour was down for a minute."""
    _shown(ground, act)
    claim = ground.home.kube.objects().claims[NEIGHBOUR]
    claim.app_ready = False
    ground.clock.sleep(60)
    claim.app_ready = True
    ground.clock.sleep(10)


def unsaved(ground: Ground, act: Act) -> None:
    """It says that all is well, and the neighbour's backups have stopped."""
    _shown(ground, act)
    for source in ground.home.kube.objects().sources.values():
        source.paused = True
    ground.clock.sleep(700)


def lost(ground: Ground, act: Act) -> None:
    """It says that all is well, and a file is gone."""
    _shown(ground, act)
    claim = ground.home.kube.objects().claims[LOSER]
    claim.entries = claim.entries[1:]


@pytest.mark.parametrize(("play", "told"), [
    (spoilt, "apps/wiki: wiki/00.md is another"), (restarted, "apps/wiki: 1 restarts, 30 of "),
    (unsaved, "1 of 2 backups missed"), (lost, "apps/notes: notes/00.md is not there"),
])  # fmt: skip
def test_what_a_scene_does_not_say_is_a_miss(play: object, told: str, ground: Ground) -> None:
    assert callable(play)
    found = judged(ground, Scene("restore", "a scene that lies", play))
    assert any(told in miss for miss in found.misses), found.misses
    assert "MISSED" in table([found])


def test_a_volume_of_which_nothing_is_known_is_not_called_as_it_was() -> None:
    assert differences("wiki", {}, {}) == ["wiki: nothing is known of what must be on it"]
    assert differences("wiki", {"a": "1"}, {"a": "1"}) == []


def test_a_scene_that_is_not_there_is_none_that_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fire"]) == 2
    assert "no such scene: fire. There are: restore, undo, file" in capsys.readouterr().out


def test_a_scene_named_alone_is_played_after_the_one_that_it_begins_with() -> None:
    assert chosen(["undo"]) == {"restore", "undo"} and chosen(["host", "file"]) == {"restore", "file", "host"}
    assert chosen([]) == {scene.name for scene in SCENES}
    order = [scene.name for scene in SCENES]
    assert all(order.index(first) < order.index(then) for then, first in BEGINS_WITH.items())


def test_a_scene_that_was_not_played_has_not_held() -> None:
    scenes = [("modelled", "undo"), ("wire", "undo"), ("wire", "power")]
    held = [Verdict(name, door, (), "", 1.0) for door, name in scenes]
    assert summed(scenes, held) == (True, "all 3 held")
    assert summed(scenes, [held[0], Verdict("undo", "wire", ("a file",), "", 1.0), held[2]]) == (False, "1 of 3 missed")
    assert summed(scenes, held[:2]) == (False, "all 2 held; NOT PLAYED: power (wire)")
    no_house = Verdict("the house", "wire", ("cluster.bootstrap: exit 20",), "", 1.0)
    assert summed(scenes, [held[0], no_house]) == (False, "1 of 2 missed; NOT PLAYED: undo (wire), power (wire)")


def test_a_running_house_that_does_not_answer_is_a_miss_and_the_next_scene_is_judged(tmp_path: Path) -> None:
    ground = WireGround(HouseFolder(tmp_path), Story(Page(io.StringIO(), MODELLED), lambda: 0.0))
    found = partial_wire.judged(ground, WireScene("power", "off and on", lambda ground, act: ground.show(act, True, "all is well")))
    assert len(found.misses) == 1 and found.misses[0].startswith("it broke off: ")


class Emptied(WireGround):
    """A running house whose volumes and whose store are gone."""

    def volume(self, app: str) -> str:
        return ""


def test_a_store_that_is_gone_while_a_neighbour_is_watched_is_a_miss_and_leaves_nobody_watching(tmp_path: Path) -> None:
    ground = Emptied(HouseFolder(tmp_path), Story(Page(io.StringIO(), MODELLED), lambda: 0.0))
    found = partial_wire.judged(ground, WireScene("undo", "back again", lambda ground, act: ground.show(act, True, "all is well")))
    assert any(one.startswith("it broke off: ") for one in found.misses)
    assert not [thread for thread in threading.enumerate() if thread.name == f"watch {NEIGHBOUR}"]
