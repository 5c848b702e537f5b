"""The record's keys, there and back: the policies read these very keys, so they may not drift."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.archives.results import RecoveryPoint
from adapters.hold.record import CANARY_KEYS, database_entry, entry, pinned_entry, record
from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldState, PinnedDatabase
from adapters.volsync.results import ClaimPhase, ClaimState
from cluster.hold.standing import Way, way
from engine.errors import PermanentError

CLAIM = HeldClaim(
    namespace="apps",
    claim="notes.data",
    state=HoldState.PROVEN,
    destination="notes-dst",
    source="notes",
    repository_id="abc",
    snapshot_id="def",
    pin="2026-01-02T03:04:05Z",
    image="img-1",
    proof="sha",
    depth="every byte of 3 files",
    reason="because",
    since=1.5,
    released=2.5,
    image_uid="1111",
    volume="csi.lab vol-1",
)


def kept(claim: HeldClaim) -> dict[str, str]:
    return {k: v for k, v in entry(claim).items() if v is not None}


def test_keys_are_the_ones_that_the_policies_read() -> None:
    keys = kept(CLAIM)
    assert keys.pop("detail.apps.notes.data")
    assert keys == {
        "state.apps.notes.data": "proven",
        "image.apps.notes.data": "img-1",
        "rd.apps.notes-dst": "2026-01-02T03:04:05Z",
        "rs.apps.notes": "notes.data",
        "dst.apps.notes-dst": "notes.data",
    }


@pytest.mark.parametrize("state", list(HoldState))
def test_a_claim_comes_back_as_it_was_put(state: HoldState) -> None:
    claim = replace(CLAIM, state=state)
    assert record(kept(claim)).claims == (claim,)


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.ACCEPTED_EMPTY])
def test_a_claim_that_is_through_has_no_pin_for_the_policies(state: HoldState) -> None:
    assert entry(replace(CLAIM, state=state))["rd.apps.notes-dst"] is None


def test_no_config_map_is_not_an_empty_record() -> None:
    assert not record(None).present
    assert record({}).present
    assert record({}).claims == ()


def test_a_cluster_is_made_anew_only_as_long_as_something_is_held() -> None:
    assert record(kept(CLAIM) | {"phase": "rebuilt"}).rebuilt
    assert not record(kept(CLAIM)).rebuilt
    assert not record(kept(replace(CLAIM, state=HoldState.RELEASED)) | {"phase": "rebuilt"}).rebuilt
    assert not record(dict(CANARY_KEYS) | {"phase": "rebuilt"}).rebuilt


def test_the_canary_is_no_claim_of_the_house() -> None:
    assert record(dict(CANARY_KEYS)).claims == ()


def test_what_the_policies_read_wins_over_the_details() -> None:
    data = kept(CLAIM) | {"rd.apps.notes-dst": "2020-01-01T00:00:00Z"}
    assert record(data).claims[0].pin == "2020-01-01T00:00:00Z"


def test_a_record_without_details_still_tells_states_and_sources() -> None:
    data = kept(CLAIM) | {"detail.apps.notes.data": "{broken"}
    found = record(data).claims[0]
    assert (found.state, found.source, found.image) == (HoldState.PROVEN, "notes", "img-1")


def test_a_state_that_is_none_is_said_and_not_guessed() -> None:
    with pytest.raises(PermanentError, match=r"apps/notes.data") as error:
        record(kept(CLAIM) | {"state.apps.notes.data": "relaesed"})
    assert "relaesed" in error.value.evidence[0]


def test_names_that_make_a_key_too_long_are_refused_before_anything_is_written() -> None:
    with pytest.raises(PermanentError, match="too long"):
        entry(replace(CLAIM, claim="c" * 250))


DATABASE = AcceptedDatabase("odd", "notes.data", "it was a trial", 1.5)


def test_an_accepted_database_comes_back_as_it_was_written_beside_a_claim_of_its_name() -> None:
    keys = {k: v for k, v in database_entry(DATABASE).items() if v is not None}
    assert keys["cnpg.odd.notes.data"] == "accepted-empty"
    found = record(keys | kept(replace(CLAIM, namespace="odd")))
    assert found.databases == (DATABASE,)
    assert found.claims == (replace(CLAIM, namespace="odd"),)


@pytest.mark.parametrize("word", ["no-base-backup", "accepted", ""])
def test_a_word_that_the_policy_does_not_take_accepts_no_database(word: str) -> None:
    assert record({"cnpg.odd.db": word}).databases == ()


def test_a_database_s_name_may_be_too_long_too() -> None:
    with pytest.raises(PermanentError, match=r"database odd/.* too long"):
        database_entry(replace(DATABASE, name="d" * 250))


POINT = RecoveryPoint("20260102T030000", "7123", 2, 1 << 30, "0" * 24, 3.5, 2.5)
PINNED = PinnedDatabase("odd", "notes.data", "s3:https://s3.invalid/db/pg", POINT, 1.5)


PROVEN = replace(PINNED, uid="u-1", proven=4.5, depth="timeline 2")


@pytest.mark.parametrize("database", [PINNED, PROVEN, replace(PINNED, refuted="no")])
def test_a_database_that_is_made_again_comes_back_whole_and_no_policy_lets_it_pass(database: PinnedDatabase) -> None:
    keys = {k: v for k, v in pinned_entry(database).items() if v is not None}
    assert keys["cnpg.odd.notes.data"] == ("proven" if database.proven else "pinned")
    found = record(keys)
    assert (found.pinned, found.databases) == ((database,), ())


@pytest.mark.parametrize("detail", ["", "no json", "{}", '{"point": {}}', '{"point": {"base": 1}, "place": "x"}', '{"surplus": 1}'])
def test_details_that_a_hand_has_broken_pin_nothing(detail: str) -> None:
    assert record({"cnpg.odd.db": "proven", "cnpg-detail.odd.db": detail}).pinned == ()


def test_proven_is_what_the_key_says() -> None:
    keys = {k: v for k, v in pinned_entry(replace(PINNED, proven=4.5)).items() if v is not None}
    (found,) = record(keys | {"cnpg.odd.notes.data": "pinned"}).pinned
    assert found.proven == 0.0


@pytest.mark.parametrize("key", ["state.apps", "state.", "state..data", "state.apps.", "cnpg.apps", "cnpg..db"])
def test_a_key_that_a_hand_has_broken_names_nobody_and_is_said(key: str) -> None:
    with pytest.raises(PermanentError, match="a key that names no claim") as caught:
        record({key: "accepted-empty"})
    assert caught.value.evidence == (key,) and "kubectl" in caught.value.next_command


@pytest.mark.parametrize("odd", ["null", "5", "true", '["x"]', "{}"])
def test_what_is_no_text_in_the_details_is_nobodys_name(odd: str) -> None:
    """A `replaces` that is none is no consent to replace anything, and a uid that is none lets no claim through."""
    names = ("replaces", "uid", "snapshot_id", "image_uid", "undo")
    detail = f"{{{', '.join(f'{chr(34)}{name}{chr(34)}: {odd}' for name in names)}}}"
    (held,) = record({"state.apps.data": "held", "detail.apps.data": detail}).claims
    assert {getattr(held, name) for name in names} == {""}
    assert way(held, ClaimState("apps", "data", ClaimPhase.BOUND, "u", "", "")) is Way.HELD_ALIVE
