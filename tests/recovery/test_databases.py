"""Which databases a restore means, by name and without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import AcceptedDatabase
from engine.errors import SettingsInvalid
from house.model import House
from recovery.databases import distances, lost_databases, split_names
from recovery.points.asof import as_time
from tests.builders import a_house
from tests.databases import KEY, a_database, a_house_with
from tests.scenario.restore.test_restore_databases import built
from tests.scenario.running import Running

ONE = a_database(recovers=True)


@pytest.fixture
def house() -> House:
    return a_house_with(ONE)


@pytest.mark.parametrize(
    ("names", "claims", "databases"),
    [
        ("", "", ()),
        ("apps/pg", "", (ONE,)),
        ("pg", "", (ONE,)),
        ("database:pg, apps/notes", "apps/notes", (ONE,)),
        ("database:apps/pg,pg", "", (ONE,)),
        ("claim:apps/notes", "apps/notes", ()),
        ("other", "other", ()),
    ],
)
def test_a_database_is_named_with_or_without_the_word(house: House, names: str, claims: str, databases: tuple[object, ...]) -> None:
    assert split_names(house, names) == (claims, databases)


def test_a_claim_of_the_same_name_is_meant_unless_the_word_says_otherwise(house: House) -> None:
    both = replace(house, claims=(replace(house.claims[0], claim="pg"),))
    assert split_names(both, "apps/pg") == ("apps/pg", ())
    assert split_names(both, "database:apps/pg") == ("", (ONE,))


@pytest.mark.parametrize("names", [",", ",,,", " ", "claim:", " , claim:", "database:,"])
def test_words_that_name_nothing_do_not_mean_all(names: str) -> None:
    """A script whose variables are empty must not restore every claim of the house."""
    with pytest.raises(SettingsInvalid):
        split_names(a_house(), names)
    assert split_names(a_house(), "") == ("", ())


def test_a_database_that_nobody_has_is_refused(house: House) -> None:
    with pytest.raises(SettingsInvalid, match="names no database with an archive") as told:
        split_names(house, "database:apps/gp")
    assert told.value.evidence == ("database:apps/pg",)


def test_without_names_it_is_what_is_gone_or_not_proven_and_never_what_lives_unasked(tmp_path: Path) -> None:
    running = built(tmp_path, ONE)
    objects = running.home.kube.objects()
    assert objects.rebuilt
    assert lost(running) == ["apps/pg"]
    objects.rebuilt = False
    assert lost(running) == []
    del objects.clusters[KEY]
    assert lost(running) == ["apps/pg"]


def test_what_was_accepted_empty_is_nobody_s_to_make_again(tmp_path: Path) -> None:
    running = built(tmp_path, a_database(recovers=False))
    assert lost(running) == ["apps/pg"]
    running.home.act("by-hand").hold.accept(AcceptedDatabase("apps", "pg", "a trial", 1.0))
    assert lost(running) == []


def test_a_claim_of_another_application_is_at_no_distance(tmp_path: Path) -> None:
    running = built(tmp_path, ONE)
    running.apply(running.restore)
    record = running.home.look().hold.record()
    (told,) = distances(running.house, record, ONE, running.clock.now())
    assert "later than the restore point of claim apps/notes" in told
    at = as_time(record.claims[0].pin)
    assert [one for off in (0, 0.4, -90) for one in distances(running.house, record, ONE, at + off)] == [
        f"{words} the restore point of claim apps/notes ({record.claims[0].pin})"
        for words in ("of the same second as", "of the same second as", "90 s earlier than")
    ]
    apart = replace(running.house, flux_apps=tuple(replace(app, depends_on=()) for app in running.house.flux_apps))
    assert list(distances(apart, record, ONE, running.clock.now())) == []


def lost(running: Running) -> list[str]:
    return [one.key for one in lost_databases(running.home.look(), running.house)]
