"""Several claims at once: no more than the settings say, what others wait for first, and a person's own order before that."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import executor
from engine.events import Event, StepEnded, StepStarted
from engine.journal import open_journal
from engine.limits import Limits
from lab.ports.journal_disk import FencedDisk
from recovery.course import course
from recovery.selection import select
from recovery.steps.claims.restore_image import RESTORES
from tests.builders import a_claim, a_house, an_app
from tests.scenario.running import Running

NAMES = ("web", "notes", "db", "mail", "cache")


@pytest.fixture
def busy(tmp_path: Path) -> Running:
    """Five applications after their bootstrap, all held; web waits for db, and db for cache."""
    waits = {"web": ("apps/db",), "db": ("apps/cache",)}
    apps = tuple(an_app(name, *waits.get(name, ())) for name in NAMES)
    return Running.bootstrapped(tmp_path / "state", a_house(claims=tuple(map(a_claim, NAMES)), flux_apps=apps))


def restored(house: Running, claims: str, at_once: int) -> tuple[list[str], int]:
    """In which order their restores began, and how many there were at once."""
    began, running, most = list[str](), set[str](), 0

    def heard(event: Event) -> None:
        nonlocal most
        name = getattr(event, "step", "")
        if isinstance(event, StepStarted) and name.startswith("recovery.restore/"):
            began.append(name.rpartition("/")[2])
            running.add(name)
        elif isinstance(event, StepEnded):
            running.discard(event.report.id)
        most = max(most, len(running))

    chosen = select(house.home.look(), house.house, claims, {})
    whole = course(house.house, chosen.wanted, again=chosen.again)
    disk = FencedDisk(house.clock.fence)
    with open_journal(house.folder, lineage=house.house.id, run="restore", disk=disk, now=house.clock.now) as journal:
        report = executor.run(
            whole.graph(), house.home.look(), house.home.act("restore"), journal=journal, clock=house.clock,
            workers=house.clock.workers(), guards=whole.guards, sink=heard, limits=Limits(per_system={RESTORES: at_once}),
        )  # fmt: skip
    assert report.converged, report.root_causes
    return began, most


def test_what_others_wait_for_is_restored_first_and_so_many_at_once(busy: Running) -> None:
    began, most = restored(busy, "", 2)
    assert sorted(began) == sorted(NAMES) and most == 2
    assert began.index("cache") < began.index("db") < began.index("web"), began


def test_one_at_a_time_in_the_order_in_which_they_were_typed(busy: Running) -> None:
    assert restored(busy, "web,mail,db", 1) == (["web", "mail", "db"], 1)
