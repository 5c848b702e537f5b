"""What must be true of a kept volume before a claim is deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.kept.results import KeptState, KeptVolume
from engine.errors import PermanentError
from engine.probe import Condition
from lab.ports.volumes.kept import ModelledKept
from recovery.course import course
from recovery.courses.undoing import to_undo, undo_course
from recovery.points.kept import demand_kept
from tests.hands import do, see
from tests.recovery.conftest import Restoring

HOLD, STOP, KEEP = (f"recovery.{name}/apps/notes" for name in ("hold-again", "stop-app", "keep-old"))



def test_a_volume_that_a_hand_gave_its_policy_back_is_kept_again_before_its_claim_goes(
    alive: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacing = course(alive.house, alive.house.claims, again=alive.house.claims)
    alive.apply(replacing)
    for name in (HOLD, STOP, KEEP):
        do(alive, replacing, name)
    assert see(alive, replacing, KEEP).condition is Condition.SATISFIED
    whole = ModelledKept.volumes

    def unkept(port: ModelledKept) -> tuple[KeptVolume, ...]:
        return tuple(replace(one, stays=False) for one in whole(port))

    monkeypatch.setattr(ModelledKept, "volumes", unkept)
    assert see(alive, replacing, KEEP).condition is Condition.MISSING
    uid = alive.home.look().kept.volumes()[0].uid
    with pytest.raises(PermanentError, match="its volume is not kept, and would go with it"):
        demand_kept(alive.home.look().kept, uid, "apps/notes")


def test_volumes_that_are_kept_and_not_free_are_not_said_never_to_have_been(
    alive: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PermanentError) as none:
        to_undo(alive.home.look(), alive.house, "notes")
    assert none.value.hint.endswith("this claim has had none, or it was let go")
    one = KeptVolume("pv-1", "apps", "notes", "old", 1.0, KeptState.UNKNOWN)
    monkeypatch.setattr(ModelledKept, "volumes", lambda _: (one,))
    with pytest.raises(PermanentError) as unknown:
        to_undo(alive.home.look(), alive.house, "notes")
    assert unknown.value.evidence == ("volume pv-1 is unknown",)
    assert "let go" not in unknown.value.hint
    assert "kubectl get pv pv-1" in unknown.value.hint


@pytest.mark.parametrize("first", ["recovery.hold-again/apps/notes", "undo.begin/apps/notes"])
def test_a_living_claim_that_nobody_would_make_again_is_not_asked_to_go(alive: Restoring, first: str) -> None:
    claim = alive.house.claims[0]
    name = alive.home.kube.objects().claims[("apps", "notes")].bound_to
    whole = course(alive.house, alive.house.claims, again=alive.house.claims)
    if first.startswith("undo"):
        alive.home.act("by-hand").kept.keep("apps", "notes", alive.home.kube.objects().claims[("apps", "notes")].uid)
        alive.home.kube.objects().kept[name].held_by = ""
        whole = undo_course(alive.house, claim, name)
    assert see(alive, whole, first).condition is Condition.MISSING
    del alive.home.kube.objects().kustomizations[claim.flux_app]
    with pytest.raises(PermanentError, match="once deleted, nobody would make it again"):
        see(alive, whole, first)
