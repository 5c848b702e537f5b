"""The demo of a rehearsal, with the real programs: a drill that passes and names its page, and one that must not pass.

The house is the lab's smallest. What is judged is judged from outside: by exit codes, by the store's and the volume's own bytes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from console.demo.driving import Driver, Verb
from console.demo.onwire import played
from console.demo.story import Story
from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_OK, EXIT_REHEARSAL_FAIL
from lab.houses.nouns import HouseFolder
from lab.running.control import ask
from lab.running.starting import start

HOUSE, SPEED = "one-node", 10.0
NAMESPACE, APP = "selfhosted", "notes"
CLAIM = f"{NAMESPACE}/{APP}"
LOST = "packs-lost"
EVIDENCE = HouseFolder.of(f"{HOUSE}-drill").root
"""Beside the house, which the next one replaces."""
PAGE = EVIDENCE / "report.html"


def play() -> int:
    """Play it; answers 0 when all of it held. The lab is down afterwards, the evidence of the drill that passed stays."""
    return played(HOUSE, lambda folder, story: Drilled(folder, story).play(), f"The page of the drill that passed: {PAGE}")


class Drilled:
    """The house and its story."""

    def __init__(self, folder: HouseFolder, story: Story) -> None:
        self.folder, self.story = folder, story
        self.driver = Driver(folder.settings)

    def play(self) -> None:
        """All acts."""
        self._built()
        self._passes()
        self._evidence_holds()
        self._cannot_pass()
        self._told()

    def _built(self) -> None:
        with self.story.act("lab.up, cluster.bootstrap, dr.restore: a house that lives") as act:
            start(HOUSE, "hosts-lost", SPEED, self.folder)
            for verb, good in (("cluster.bootstrap", (EXIT_OK, EXIT_HELD)), ("dr.restore", (EXIT_OK,))):
                done = self.driver.run(verb)
                self.story.show(act, done.code in good, f"{verb}: {done.result.get('outcome')}, exit {done.code}")

    def _passes(self) -> None:
        before = self._digest()
        with self.story.act("dr.rehearse: restored beside the living house, compared, and a fault of its own planted") as act:
            shutil.rmtree(EVIDENCE, ignore_errors=True)
            done = self.driver.run("dr.rehearse", "--claims", CLAIM, "--report", str(EVIDENCE))
            drill = _drill(done)
            self.story.show(act, done.code == EXIT_OK and drill.get("verdict") == "PASS", _told(done))
            fence = drill.get("fence", [])
            proven = sum(part["proven"] is True for part in fence)
            self.story.show(act, bool(fence) and proven == len(fence), f"fence: {proven} of {len(fence)} parts proven")
            control = drill.get("control") or {}
            caught = "found by its own name" if control.get("caught") else "NOT FOUND"
            self.story.show(act, control.get("caught") is True, f"planted {control.get('name')}: {caught}")
            same = self._digest() == before
            self.story.show(act, same, f"the living volume of {CLAIM} is {'as it was' if same else 'NOT as it was'}")

    def _evidence_holds(self) -> None:
        with self.story.act("dr.report --check: the evidence, and the same with one byte changed") as act:
            self.story.show(act, PAGE.is_file(), f"page: {PAGE}")
            kept = self.driver.run("dr.report", "--check", str(EVIDENCE))
            self.story.show(act, kept.code == EXIT_OK, f"as it was written: exit {kept.code}")
            forged = EVIDENCE.with_name(f"{EVIDENCE.name}-forged")
            shutil.rmtree(forged, ignore_errors=True)
            shutil.copytree(EVIDENCE, forged)
            _flip(forged / "evidence.json")
            told = self.driver.run("dr.report", "--check", str(forged))
            shutil.rmtree(forged)
            self.story.show(act, told.code == EXIT_DRIFT, f"one byte changed: exit {told.code}")

    def _cannot_pass(self) -> None:
        with self.story.act("the store loses what the backup is made of, the application runs on, and a drill is due") as act:
            answer = ask(self.folder.control, {"do": "trouble", "name": LOST, "target": APP})
            self.story.show(act, "error" not in answer, f"{LOST}: the repository opens, lists its snapshots, and holds nothing")
            done = self.driver.run("dr.rehearse", "--claims", CLAIM)
            failed = done.code == EXIT_REHEARSAL_FAIL and _drill(done).get("verdict") == "FAIL"
            self.story.show(act, failed, _told(done))

    def _told(self) -> None:
        with self.story.act("dr.status: what is proven is what passed before, and not the drill that failed") as act:
            found = [one for one in self.driver.run("dr.status").result.get("standings", []) if one["key"] == CLAIM]
            told = [f"{CLAIM}: {one['state']}, depth {one['depth']}" for one in found]
            self.story.show(act, [one["state"] for one in found] == ["proven"], "; ".join(told) or "not listed")

    def _digest(self) -> dict[str, Any]:
        answer = ask(self.folder.control, {"do": "digest", "namespace": NAMESPACE, "claim": APP})
        assert "error" not in answer, answer["error"]
        return answer


def _drill(done: Verb) -> dict[str, Any]:
    found = done.result.get("drill")
    return found if isinstance(found, dict) else {}


def _told(done: Verb) -> str:
    drill = _drill(done)
    claims = ", ".join(f"{one['name']} {one['verdict']}" for one in drill.get("claims", []))
    reasons = "; ".join(str(one) for one in drill.get("reasons", []))
    return " - ".join(filter(None, (f"{drill.get('verdict', 'no verdict')}, exit {done.code}", claims, reasons)))


def _flip(file: Path) -> None:
    """Change one bit in the middle of it."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
