"""dr.undelete: the moments at which something went, a plan of one state, that state by consent beside the old place, checked."""

from __future__ import annotations

import pytest

from adapters.versions.results import Keeping, StoreGuard
from console.ending import guarded
from console.verbs.dr import undelete
from engine import errors
from lab.world.store import StoredRepository, a_file, rfc3339
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line

BUCKET = "https://127.10.0.30:9000/backups"
DAY = 86400.0


@pytest.fixture
def pruned(desk: Desk) -> Desk:
    """Three more backups; then somebody deletes all snapshots but the newest, of which the application had made nonsense."""
    store, now = desk.running.home.store, desk.running.clock.now()
    store.guards[BUCKET] = StoreGuard(BUCKET, Keeping.KEPT)
    for days in (3, 2, 1):
        store.back_up(address(desk), (a_file("notes/one.md", f"{days} days ago"),), now - days * DAY)
    repository(desk).snapshots.sort(key=lambda one: one.time)
    store.prune(address(desk), now - 600, keep=1)
    return desk


def address(desk: Desk) -> str:
    return desk.running.house.claims[0].open_as


def repository(desk: Desk, at: str = "") -> StoredRepository:
    return desk.running.home.store.repositories[at or address(desk)]


def run(desk: Desk, as_of: str = "", approve: str = "", *, words: str = "notes", json: bool = False) -> int:
    session = desk.session("dr.undelete", json=json)
    return guarded("dr.undelete", json, lambda: undelete.undelete_of(session, words, as_of, approve))


def before_it(desk: Desk) -> str:
    return rfc3339(desk.running.clock.now() - 700)


def into(as_of: str) -> str:
    return f"-as-of-{as_of.replace('-', '').replace(':', '')}"


def test_without_a_time_it_tells_when_something_went_and_what_was_there_before(pruned: Desk, capsys: Printed) -> None:
    assert run(pruned) == errors.EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    assert "4 snapshots" in out and "then 3 snapshots and 0 other files went" in out and "1 snapshot now at s3:" in out
    run(pruned, json=True)
    (moment,) = last_line(capsys)["moments"]
    assert (moment["snapshots"], moment["snapshots_gone"]) == (4, 3)
    assert run(pruned, moment["as_of"]) == errors.EXIT_PLAN_HAS_CHANGES, "its time is one that --as-of takes"


def test_a_state_comes_by_consent_to_a_place_of_its_own_and_the_old_one_stays(pruned: Desk, capsys: Printed) -> None:
    as_of = before_it(pruned)
    assert run(pruned, as_of, json=True) == errors.EXIT_PLAN_HAS_CHANGES
    plan = last_line(capsys)["plan"]
    assert set(pruned.running.home.store.repositories) == {address(pruned)}
    assert run(pruned, as_of, plan) == errors.EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    place = address(pruned) + into(as_of)
    assert f"{place} is apps/notes as it was on {as_of}" in out and f"`open: {place}`" in out
    assert len(repository(pruned, place).snapshots) == 4 and len(repository(pruned).snapshots) == 1
    assert run(pruned, as_of, json=True) == errors.EXIT_OK, "what is there already needs no consent"
    assert {row["verdict"] for row in last_line(capsys)["lines"]} == {"noop"}


def test_what_was_brought_and_is_not_whole_is_said_and_another_time_advised(pruned: Desk, capsys: Printed) -> None:
    as_of = before_it(pruned)
    run(pruned, as_of, json=True)
    plan = last_line(capsys)["plan"]
    store = pruned.running.home.store
    store.repositories[address(pruned) + into(as_of)] = StoredRepository(repository(pruned).repository_id, sound="tree")
    assert run(pruned, as_of, plan) == errors.EXIT_STEP_FAILED
    err = " ".join(capsys.readouterr().out.split())
    assert "another --as-of" in err and "backup.undeleted/apps/notes" in err


def test_a_place_where_something_else_lies_is_not_touched(pruned: Desk, capsys: Printed) -> None:
    as_of = before_it(pruned)
    store = pruned.running.home.store
    place = address(pruned) + into(as_of)
    store.back_up(place, (a_file("theirs", "x"),), 1.0)
    run(pruned, as_of)
    assert "something else lies at" in " ".join(capsys.readouterr().out.split())
    assert len(store.repositories[place].snapshots) == 1


@pytest.mark.parametrize(("as_of", "approve", "words", "told"), [
    ("2199-01-01T00:00:00Z", "", "notes", "is later than now"), ("", "ab12", "notes", "which state it is for is missing"),
    ("yesterday", "", "notes", "is no time"), ("", "", "notes,photos", "one claim at a time"), ("", "", "nobody", "nobody"),
])  # fmt: skip
def test_what_is_typed_wrongly_is_told(
    as_of: str, approve: str, words: str, told: str, pruned: Desk, capsys: Printed
) -> None:
    assert run(pruned, as_of, approve, words=words) == errors.SettingsInvalid.exit_code
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_backup_in_no_bucket_is_refused_with_what_may_help(tmp_path: object, capsys: Printed) -> None:
    with pytest.raises(errors.SettingsInvalid, match="lies in no bucket"):
        undelete.to_undelete(_house_with("/mnt/nas/notes"), "notes")


def _house_with(open_as: str) -> object:
    from tests.builders import a_house

    return a_house(claims=(a_claim(open_as=open_as),))


def test_where_nothing_is_kept_a_state_of_before_is_none(pruned: Desk, capsys: Printed) -> None:
    pruned.running.home.store.guards.clear()
    assert run(pruned, rfc3339(pruned.running.clock.now() - 10 * DAY)) != errors.EXIT_OK
    assert "there was no repository at" in " ".join(capsys.readouterr().out.split())


def test_a_silent_store_is_no_empty_one(pruned: Desk, capsys: Printed) -> None:
    pruned.running.home.store.down = True
    assert run(pruned) == errors.TransientError.exit_code
    assert "does not answer" in capsys.readouterr().err
