"""The hold is looked at again right before an act that counts on it, and what is said after a failure was seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.hold.results import HeldClaim, HoldState, Refusal, Verdict
from cluster.hold.holding import demand_hold, hold_probe, judged, what_holds
from engine.errors import PermanentError
from engine.probe import Condition, missing
from lab.world.cluster.volumes import Image
from lab.world.store import a_file
from tests.hands import Notebook, only, see, step
from tests.recovery.conftest import Restoring


@pytest.fixture
def held(tmp_path: Path) -> Restoring:
    return Restoring.bootstrapped(tmp_path / "state")


@pytest.mark.parametrize(
    ("before", "verb", "told"),
    [
        (("pin",), "restore", "is not restored"),
        (("pin", "restore", "prove"), "populate", "is not filled"),
        (("pin", "restore", "prove", "populate"), "release", "is not released"),
    ],
)
def test_policies_that_a_hand_deletes_in_the_middle_stop_what_comes_next(
    held: Restoring, before: tuple[str, ...], verb: str, told: str
) -> None:
    held.up_to(*before)
    entry = held.entry
    held.home.kube.objects().policies_bite_at = None
    found = step(held.restore, f"recovery.{verb}/apps/notes")
    with pytest.raises(PermanentError, match=f"{told}: the hold is not in place any more") as error:
        found.apply(held.home.act("by-hand"), missing("to be done"), Notebook())
    assert "dr.hold CLAIM" in error.value.hint
    assert held.entry == entry


def test_after_a_failed_proof_nothing_is_promised_that_was_not_seen(held: Restoring) -> None:
    held.up_to("pin", "restore")
    image = held.destination.image
    assert image is not None
    held.destination.image = Image(image.name, (a_file("other", "than the snapshot"),))
    for biting, words in ((True, "no backup of it is written"), (False, "a backup of it may be written")):
        if not biting:
            held.home.kube.objects().policies_bite_at = None
        with pytest.raises(PermanentError) as error:
            step(held.restore, "recovery.prove/apps/notes").apply(
                held.home.act("by-hand"), see(held, held.restore, "recovery.prove/apps/notes"), Notebook()
            )
        assert words in error.value.hint
        assert what_holds(held.home.look().hold) == error.value.hint


def test_the_whole_line_still_ends_well(held: Restoring) -> None:
    assert held.apply(only(held.restore, "preflight.", "hold.", "recovery.")).exit_code == 0


def test_an_api_server_that_follows_the_record_no_more_is_no_hold(held: Restoring) -> None:
    first, second, _ = (node.address for node in held.house.control_planes)
    kube, claim = held.home.kube, held.house.claims[0]
    source = kube.objects().sources[(claim.namespace, claim.source)]
    kube.objects().record.pop((claim.namespace, claim.claim))  # type: ignore[union-attr]  # a bootstrap has made one
    for address in (first, second):
        kube.goes_blind(address)
    assert hold_probe(held.home.look().hold).condition is Condition.SATISFIED, "the record is still what they know"
    held.home.act("by-hand").hold.put(HeldClaim(claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source))
    assert kube.admits_backup(kube.objects(), source) == "", "and that is the danger"
    seen = hold_probe(held.home.look().hold)
    assert seen.condition is Condition.UNKNOWN
    assert f"{first}, {second} judge" in seen.detail
    assert f"talosctl -n {first} restart -k ID" in seen.hint
    assert second in seen.hint
    with pytest.raises(PermanentError, match="the hold is not in place any more") as error:
        demand_hold(held.home.look().hold, "nothing is done")
    assert error.value.hint == seen.hint
    kube.blind.pop(first)
    assert hold_probe(held.home.look().hold).detail.startswith(f"{second} judges")
    kube.blind.pop(second)
    assert hold_probe(held.home.look().hold).condition is Condition.SATISFIED


def test_policies_that_are_put_back_are_no_hold_where_nobody_follows_the_record(held: Restoring) -> None:
    kube = held.home.kube
    kube.goes_blind(held.house.control_planes[0].address)
    assert hold_probe(held.home.look().hold).condition is Condition.SATISFIED
    held.home.act("by-hand").hold.install(rebuilt=False)
    assert hold_probe(held.home.look().hold).condition is Condition.UNKNOWN, "nothing new is held, and it is seen all the same"


@pytest.mark.parametrize(
    ("verdicts", "condition", "words"),
    [
        ((Verdict.REFUSED, Verdict.REFUSED), Condition.SATISFIED, "2 API servers refuse"),
        ((Verdict.REFUSED, Verdict.ADMITTED), Condition.CHANGING, "not every API server"),
        ((Verdict.REFUSED, Verdict.OTHER), Condition.UNKNOWN, "something else than the hold"),
        ((Verdict.ADMITTED, Verdict.STALE), Condition.UNKNOWN, "10.0.0.12 judges by another record"),
    ],
)
def test_each_api_server_has_to_refuse_by_the_hold_itself(
    verdicts: tuple[Verdict, ...], condition: Condition, words: str
) -> None:
    answers = tuple(Refusal(f"10.0.0.1{n}", "Job", verdict, "words") for n, verdict in enumerate(verdicts, 1))
    seen = judged(answers)
    assert (seen.condition, words in seen.detail) == (condition, True)
