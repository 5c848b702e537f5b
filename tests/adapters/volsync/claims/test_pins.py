"""What pins a destination, and who else may set what it restores."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import REPLICATION_DESTINATION
from adapters.kubernetes.objects import owners
from adapters.volsync.adapter import VolSyncClaims
from engine.errors import PermanentError
from tests.adapters.volsync.claims.played import as_flux, destination, say, spec_of

pytestmark = pytest.mark.programs

PIN = "2026-01-02T03:04:05Z"


def test_pin_on_a_fresh_destination_leaves_its_first_run_alone(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination({"copyMethod": "Direct"}), ns)
    assert claims.destination(ns, "notes-dst").copy_method == "Direct"
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    assert claims.destination(ns, "notes-dst").copy_method == "Snapshot"
    before = claims.destination(ns, "notes-dst")
    assert before.present
    assert (before.restore_as_of, before.ours, before.trigger, before.last_trigger) == ("", False, "restore-once", "")

    claims.pin(ns, "notes-dst", PIN, "restore-abc")
    after = claims.destination(ns, "notes-dst")
    assert (after.restore_as_of, after.ours, after.trigger) == (PIN, True, "restore-once")
    assert spec_of(client, ns)["restic"]["previous"] == 0

    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    assert claims.destination(ns, "notes-dst").restore_as_of == PIN, "Flux leaves our field alone"
    claims.pin(ns, "notes-dst", PIN, "restore-abc")
    assert claims.destination(ns, "notes-dst") == after


def test_pin_on_a_destination_that_has_run_asks_for_a_new_run(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    say(client, REPLICATION_DESTINATION, "notes-dst", ns, {"lastManualSync": "restore-once"})
    claims.pin(ns, "notes-dst", PIN, "restore-abc")
    assert claims.destination(ns, "notes-dst").trigger == "restore-abc"
    claims.pin(ns, "notes-dst", PIN, "restore-abc")
    assert claims.destination(ns, "notes-dst").trigger == "restore-abc", "not run yet: no second run"
    for expected in ("restore-abc-again-1", "restore-abc-again-2"):
        say(
            client,
            REPLICATION_DESTINATION,
            "notes-dst",
            ns,
            {"lastManualSync": claims.destination(ns, "notes-dst").trigger},
        )
        claims.pin(ns, "notes-dst", PIN, "restore-abc")
        assert claims.destination(ns, "notes-dst").trigger == expected

    claims.unpin(ns, "notes-dst")
    state = claims.destination(ns, "notes-dst")
    assert (state.restore_as_of, state.ours) == ("", False)
    assert state.trigger == "restore-abc-again-2", "without a trigger it would restore again and again"
    assert "previous" not in spec_of(client, ns)["restic"]


@pytest.mark.parametrize("git", [{"restoreAsOf": "2020-01-01T00:00:00Z"}, {"previous": 1}])
def test_a_value_in_git_that_differs_is_shown_and_not_overwritten(
    client: ApiClient, claims: VolSyncClaims, ns: str, git: dict[str, Any]
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination(git), ns)
    with pytest.raises(PermanentError, match="Somebody else sets") as error:
        claims.pin(ns, "notes-dst", PIN, "restore-abc")
    ((field, value),) = git.items()
    assert f"{field}: {value} (set by kustomize-controller)" in error.value.evidence
    assert spec_of(client, ns)["restic"][field] == value
    assert claims.destination(ns, "notes-dst").restore_as_of == git.get("restoreAsOf", "")


def test_the_same_value_in_git_is_no_conflict_and_stays_after_unpin(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination({"restoreAsOf": PIN}), ns)
    claims.pin(ns, "notes-dst", PIN, "restore-abc")
    assert claims.destination(ns, "notes-dst").ours
    claims.unpin(ns, "notes-dst")
    state = claims.destination(ns, "notes-dst")
    assert (state.restore_as_of, state.ours) == (PIN, False)


def marks_of(client: ApiClient, ns: str) -> dict[str, str]:
    found = client.get(REPLICATION_DESTINATION, "notes-dst", ns)
    assert found is not None
    return dict(found["metadata"].get("annotations") or {})


def test_one_that_is_turned_to_another_secret_is_left_alone_by_flux_and_turned_back_by_value(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    claims.pin(ns, "notes-dst", PIN, "restore-abc", "nas")
    state = claims.destination(ns, "notes-dst")
    assert (state.repository, state.instead_of, state.restore_as_of) == ("nas", "s", PIN)
    assert marks_of(client, ns)["kustomize.toolkit.fluxcd.io/reconcile"] == "disabled"
    claims.pin(ns, "notes-dst", PIN, "restore-abc", "nas")
    assert claims.destination(ns, "notes-dst") == state, "what it was before is not forgotten by a second look"

    claims.unpin(ns, "notes-dst")
    state = claims.destination(ns, "notes-dst")
    assert (state.repository, state.instead_of, state.restore_as_of) == ("s", "", "")
    assert marks_of(client, ns) == {}
    claims.unpin(ns, "notes-dst")
    assert claims.destination(ns, "notes-dst").repository == "s", "a field that is only let go of would be gone"

    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    claims.unpin(ns, "notes-dst")
    found = client.get(REPLICATION_DESTINATION, "notes-dst", ns)
    assert found is not None
    assert owners(found, "spec", "restic", "repository") == ("kustomize-controller",)
    as_flux(client, REPLICATION_DESTINATION, destination({"repository": "t"}), ns)
    assert claims.destination(ns, "notes-dst").repository == "t", "Git may change it as before"


def test_one_that_is_turned_is_turned_back_by_a_pin_of_git_s_own_place(client: ApiClient, claims: VolSyncClaims, ns: str) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    claims.pin(ns, "notes-dst", PIN, "restore-abc", "nas")
    claims.pin(ns, "notes-dst", PIN, "restore-abc", "s")
    state = claims.destination(ns, "notes-dst")
    assert (state.repository, state.instead_of, state.restore_as_of, marks_of(client, ns)) == ("s", "", PIN, {})


def test_a_destination_that_is_gone_is_neither_pinned_nor_made(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    assert not claims.destination(ns, "notes-dst").present
    assert not claims.destination(ns, "").present
    claims.unpin(ns, "")
    with pytest.raises(ObjectAbsent):
        claims.pin(ns, "notes-dst", PIN, "restore-abc")
    claims.unpin(ns, "notes-dst")
    assert client.get(REPLICATION_DESTINATION, "notes-dst", ns) is None
