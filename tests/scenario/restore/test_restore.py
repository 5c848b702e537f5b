"""Whole restores of the modelled house: proven data, and every way in which a restore lies."""

from __future__ import annotations

from adapters.hold.results import HoldState
from engine.errors import EXIT_OK
from engine.report import Outcome
from lab.world.store import Trouble, a_file
from tests.hands import only
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import DATA, Running


def test_a_held_claim_comes_back_as_it_was_backed_up(held_house: Running) -> None:
    report = held_house.apply(held_house.restore)
    assert report.exit_code == EXIT_OK, told(report)
    assert "every byte of 2 files" in report["recovery.prove/apps/notes"].detail
    objects = held_house.home.kube.objects()
    assert objects.claims[("apps", "notes")].entries == DATA
    (repository,) = held_house.home.store.repositories.values()
    assert [snapshot.entries for snapshot in repository.snapshots] == [DATA, DATA]
    assert objects.destinations[("apps", "notes-bootstrap")].restore_as_of == ""


def test_a_second_restore_does_nothing(held_house: Running) -> None:
    held_house.apply(held_house.restore)
    assert held_house.plan(held_house.restore).changes == ()


def test_everything_is_lost_and_comes_back(held_house: Running) -> None:
    held_house.apply(held_house.restore)
    held_house.home.lose_every_vm()
    assert held_house.apply(held_house.bootstrap).converged
    report = held_house.apply(held_house.restore)
    assert report.exit_code == EXIT_OK, told(report)
    assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA


def test_an_incomplete_snapshot_is_not_chosen(held_house: Running) -> None:
    (address,) = held_house.home.store.repositories
    partial = held_house.home.store.back_up(address, DATA[:1], held_house.clock.now(), complete=False)
    refused = held_house.apply(held_house.restore)
    assert held_house.home.kube.objects().claims[("apps", "notes")].entries != DATA, "nobody has consented to leave it behind"
    (cause,) = refused.root_causes
    assert f"left behind, though newer: {partial.snapshot_id[:8]} (far smaller than those before it)" in str(cause)
    held_house.apply(held_house.restore, held_house.consent(held_house.restore))
    assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA


def test_a_pin_survives_a_lost_journal(held_house: Running) -> None:
    held_house.home.store.down = False
    course = held_house.restore
    held_house.apply(only(course, "preflight.", "hold.in-place", "recovery.pin/"))
    first = held_house.home.look().hold.record().claims[0]
    (address,) = held_house.home.store.repositories
    held_house.home.store.back_up(address, (a_file("poison", "x"),), held_house.clock.now())
    (held_house.folder / "journal").unlink()
    held_house.apply(course)
    entry = held_house.home.look().hold.record().claims[0]
    assert (entry.snapshot_id, entry.pin) == (first.snapshot_id, first.pin)
    assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA


class TestARestoreThatLies:
    def test_the_mover_looks_at_a_misspelt_place_and_calls_it_a_success(self, held_house: Running) -> None:
        held_house.home.kube.objects().destinations[("apps", "notes-bootstrap")].address += "-misspelt"
        report = held_house.apply(held_house.restore)
        assert report["recovery.restore/apps/notes"].outcome is Outcome.FAILED
        assert "EMPTY RESTORE" in str(report["recovery.restore/apps/notes"].error)
        assert held_house.home.look().hold.record().claims[0].state is HoldState.HELD
        assert not held_house.home.kube.objects().claims[("apps", "notes")].bound

    def test_once_the_place_is_spelt_right_the_same_again_brings_everything_back(self, held_house: Running) -> None:
        destination = held_house.home.kube.objects().destinations[("apps", "notes-bootstrap")]
        address, destination.address = destination.address, "misspelt"
        assert not held_house.apply(held_house.restore).converged
        destination.address = address
        report = held_house.apply(held_house.restore)
        assert report.exit_code == EXIT_OK, told(report)
        assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA

    def test_one_file_comes_back_changed(self, held_house: Running) -> None:
        course = held_house.restore
        first = only(course, "preflight.", "hold.in-place", "recovery.pin/", "recovery.restore/")
        assert held_house.apply(first).converged
        image = held_house.home.kube.objects().destinations[("apps", "notes-bootstrap")].image
        assert image is not None
        image.entries = (image.entries[0], a_file(image.entries[1].path, "the secret " * 50))
        report = held_house.apply(course)
        error = report["recovery.prove/apps/notes"].error
        assert error is not None
        assert error.evidence == ("content: notes/two.md",)
        assert held_house.home.look().hold.record().claims[0].state is HoldState.HELD
        again = held_house.apply(course)
        assert again.exit_code == EXIT_OK, told(again)
        assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA

    def test_a_list_that_breaks_off_proves_nothing(self, held_house: Running) -> None:
        for repository in held_house.home.store.repositories.values():
            repository.half_listing = True
        report = held_house.apply(held_house.restore)
        assert report["recovery.prove/apps/notes"].outcome is Outcome.FAILED

    def test_a_store_that_is_away_is_not_an_empty_one(self, held_house: Running) -> None:
        for repository in held_house.home.store.repositories.values():
            repository.trouble = Trouble.UNREACHABLE
        report = held_house.apply(held_house.restore)
        assert [s.id for s in report.root_causes] == ["preflight.backup/apps/notes"]
        assert "unreachable" in report["preflight.backup/apps/notes"].detail
