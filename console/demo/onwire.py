"""The frame of a demo with the real programs: the house of a demo that was killed is down first, this one's at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from console.demo.driving import end_left_over
from console.demo.story import Act, Story
from console.views.page import MARK, Kind, Page
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, OurError
from lab.houses.nouns import HouseFolder
from lab.running.starting import daemon, stop

SIMULATED = Kind(MARK, (
    "SIMULATED: Proxmox hosts, machines, kubelet, scheduler and storage are simulated; talosctl, talhelper, helm,"
    " helmfile, sops, restic, etcd, kube-apiserver, VolSync, Flux are the real programs. No real house is touched."
))  # fmt: skip


def played(house: str, tell: Callable[[HouseFolder, Story], None], last: str = "") -> int:
    """`tell` its story of this house; answers 0 when all of it held. The lab is down afterwards, also when the story broke off.

    `last` is said at the end.
    """
    page, began = Page(sys.stdout, SIMULATED), time.monotonic()
    page.banner()
    folder = HouseFolder.of(house)
    end_left_over(folder.settings)  # what a demo that was killed left running: the verb that it drove, and the house
    if daemon(folder) is not None:
        stop(house, folder)
    story = Story(page, time.monotonic)
    try:
        tell(folder, story)
    except (OurError, AssertionError) as error:
        broke_off(story, error)
    finally:
        stop(house, folder)
    page.say()
    page.show(story.table("seconds"))
    told = "Everything that was shown held" if story.holds else "NOT everything held: see above"
    page.say(f"\n{told}; {time.monotonic() - began:.0f} s in all.")
    if last:
        page.say(last)
    page.banner()
    return EXIT_OK if story.holds else EXIT_STEP_FAILED


def broke_off(story: Story, error: Exception) -> None:
    """The story goes no further here, and has not held."""
    told = f"the story broke off: {error} {' | '.join(getattr(error, 'evidence', ()))}".rstrip()
    story.say(told)
    story.acts.append(Act(told, held=False))
