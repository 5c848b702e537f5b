"""One step or check of a modelled house in the hand: looked through, or applied as a run would, but without a run."""

from __future__ import annotations

import re

from adapters.surface import read_only
from cluster.course import Course, HouseCheck, HouseStep
from engine.probe import Probe
from engine.running.survey import look_once
from tests.scenario.running import Running

PROGRAMS = {
    "qm", "pvesh", "pvesm", "pvecm", "pveum", "talosctl", "talhelper", "kubectl", "helm", "helmfile", "flux", "restic", "sops",
    "git", "curl", "cat", "echo", "date", "free", "cd", "invoke",
}  # fmt: skip
FROM_A_COMMAND = re.compile(r'^([A-Z_]+="\$\(.*?\)" (&& )?)+|^\(')
SECRET = re.compile(r'AGE-SECRET-KEY-|-----BEGIN|password=(?!"\$\()|token=[^ ]', re.IGNORECASE)


class Notebook:
    """Notes that a step puts while it acts."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}

    def put(self, key: str, value: str) -> None:
        """Keep it."""
        self.written[key] = value


def item(course: Course, name: str) -> HouseStep | HouseCheck:
    """The step or check of this id."""
    everything: list[HouseStep | HouseCheck] = [*course.steps, *course.checks]
    return next(each for each in everything if each.id == name)


def step(course: Course, name: str) -> HouseStep:
    """The step of this id."""
    return next(each for each in course.steps if each.id == name)


def see(house: Running, course: Course, name: str) -> Probe:
    """One look, through read-only ports; a transient error is UNKNOWN, as in a run."""
    return look_once(item(course, name), read_only(house.home.act("look")))


def do(house: Running, course: Course, name: str) -> Notebook:
    """Apply one step for what is seen now; answers its notes."""
    notes = Notebook()
    found = step(course, name)
    found.apply(house.home.act("by-hand"), see(house, course, name), notes)
    return notes


def only(course: Course, *patterns: str) -> Course:
    """The course with these checks and steps alone (ids or their beginnings); their needs must be among them."""
    return Course(
        tuple(check for check in course.checks if check.id.startswith(patterns)),
        tuple(each for each in course.steps if each.id.startswith(patterns)),
        course.guards,
    )


def is_a_command(text: str) -> bool:
    """Whether a person could type it: begins with a program that is used in such a house, on one line, without a secret."""
    return FROM_A_COMMAND.sub("", text).split()[0] in PROGRAMS and "\n" not in text and not SECRET.search(text)
