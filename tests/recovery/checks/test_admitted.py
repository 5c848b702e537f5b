"""preflight.admitted: a restore whose mover its own namespace would refuse is told before it is tried."""

from __future__ import annotations

from dataclasses import replace

from engine.probe import Condition
from house.flux.rendered import Rendered
from tests.cluster.lint.made import objects_of
from tests.hands import see
from tests.house.data.test_pod_security import GOOD, text
from tests.recovery.conftest import Restoring

CHECK = "preflight.admitted/apps/notes"


def declaring(held: Restoring, security: str) -> None:
    said = text(security=security).replace("media", "apps").replace("name: app,", "name: notes-bootstrap,")
    held.house = replace(held.house, rendered=Rendered(objects_of(said)))


def test_a_restore_whose_mover_would_be_refused_is_not_begun(held: Restoring) -> None:
    declaring(held, "")
    told = see(held, held.restore, CHECK)
    assert told.condition is Condition.MISSING
    assert told.detail == "the mover of ReplicationDestination apps/notes-bootstrap would be refused"
    assert "enforces restricted" in told.evidence[0] and "runAsNonRoot: true" in told.hint


def test_of_one_that_is_let_in_nothing_is_said(held: Restoring) -> None:
    declaring(held, GOOD)
    assert CHECK not in [check.id for check in held.restore.checks]
