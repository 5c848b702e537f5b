"""Evidence of runs in the modelled house: a bootstrap and a restore, made once and only read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.course import Course
from console.report.document import Ran
from console.report.moments import Moments
from console.report.writing import document_of, keep_document, write_evidence
from engine import executor
from engine.journal import open_journal
from engine.report import Report
from tests.builders import a_house
from tests.scenario.running import Running


@dataclass
class Recorded:
    """A house whose runs are recorded as a session does, on the virtual clock."""

    running: Running
    count: int = 0

    def apply(self, verb: str, course: Course) -> tuple[str, Report]:
        """One run whose document is kept; answers its id and report."""
        self.count += 1
        run, running, moments = f"20261129-12000{self.count}-0000000{self.count}", self.running, Moments()
        house, began = running.house, running.clock.now()
        (house.state_dir / "runs" / run).mkdir(parents=True)
        with open_journal(house.state_dir, lineage=house.id, run=run, now=running.clock.now) as journal:
            report = executor.run(
                course.graph(), running.home.look(), running.home.act(run), journal=journal, clock=running.clock,
                workers=running.clock.workers(), guards=course.guards, sink=moments,
            )  # fmt: skip
        ran = Ran(house, verb, run, began, running.clock.now(), course.graph(), report, moments, report.exit_code)
        document, trouble = document_of(ran, journalled=True)
        assert trouble == keep_document(house, run, document) == ""
        return run, report

    def document(self, run: str) -> dict[str, Any]:
        """What is kept of the run."""
        from console.report.keeping import kept

        return kept(self.running.house.state_dir, run)

    def write(self, run: str, folder: Path) -> str:
        """Its evidence, into this folder; the signer's fingerprint."""
        return write_evidence(self.running.house, self.document(run), folder)


def recorded(folder: Path) -> Recorded:
    """A house with its backups, nothing built yet."""
    given = a_house(state_dir=folder / "state", settings_file=folder / "blackstart.yaml")
    running = Running(folder / "state", given)
    running.backed_up()
    return Recorded(running)


@dataclass(frozen=True)
class Told:
    """Two runs, and the folders of their evidence."""

    house: Recorded
    bootstrap: str
    restore: str
    built: Path
    restored: Path


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Bootstrapped and restored."""
    place = tmp_path_factory.mktemp("evidence")
    house = recorded(place)
    bootstrap, report = house.apply("cluster.bootstrap", house.running.bootstrap)
    assert report.exit_code == 6
    restore, report = house.apply("dr.restore", house.running.restore)
    assert report.exit_code == 0
    built, restored = place / "built", place / "restored"
    house.write(bootstrap, built)
    house.write(restore, restored)
    return Told(house, bootstrap, restore, built, restored)
