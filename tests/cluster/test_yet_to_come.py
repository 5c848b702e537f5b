"""What is dated later than now says nothing of when it was: no row is in order by it, and none is too old by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from adapters.components.results import Seen, Status
from adapters.context import LookContext
from adapters.csi.results import CsiLook, Role, Sidecar
from adapters.hold.results import HeldClaim, HoldState
from adapters.nas.results import Replication, Scan
from bootstrap.checks.backups import old_holds
from cluster.components import cert_manager, cloudnative_pg, external_secrets, volsync
from cluster.storage import driver
from cluster.storage.findings import Finding, Weight
from cluster.storage.nas import pools, upkeep
from engine.probe import Condition

NOW = 1_750_000_000.0
DAY = 86400.0


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(kind: str, **values: str) -> Seen:
    told = tuple((key.replace("__", "."), one) for key, one in values.items())
    return Seen(kind, "apps", "notes", next(iter(Status)), values=told)


def scrubbed(at: float) -> Iterable[Finding]:
    yield pools._scrubbed("pool tank", Scan("SCRUB", "FINISHED", None, at, 0, None), 40 * DAY, NOW, "zpool scrub tank")


def backed_up(at: float) -> Iterable[Finding]:
    yield volsync._backup(seen("ReplicationSource", spec__trigger__schedule="0 * * * *", status__lastSyncTime=stamp(at)), NOW)


def based(at: float) -> Iterable[Finding]:
    yield cloudnative_pg._scheduled(seen("ScheduledBackup", spec__schedule="0 0 0 * * *"), at, NOW)


def renewed(at: float) -> Iterable[Finding]:
    look = SimpleNamespace(sidecar=lambda name, role: Sidecar(name, role, "pod-1", at))
    return driver._of_sidecar(cast("CsiLook", look), "csi.lab", next(iter(Role)), NOW)


def never_backed_up(at: float) -> Iterable[Finding]:
    made = {"spec__trigger__schedule": "0 * * * *", "metadata__creationTimestamp": stamp(at)}
    yield volsync._backup(seen("ReplicationSource", **made), NOW)


def ordered(at: float) -> Iterable[Finding]:
    yield from cert_manager._open(seen("Order"), "pending", at, NOW)


def replicating(at: float) -> Iterable[Finding]:
    yield upkeep._replicated(Replication("off-site", True, ("tank",), "there", "PUSH", True, "RUNNING", at, began=at), 2 * DAY, NOW)


def replicated(at: float) -> Iterable[Finding]:
    yield upkeep._replicated(Replication("off-site", True, ("tank",), "there", "PUSH", True, "FINISHED", at), 2 * DAY, NOW)


YOUNG = [scrubbed, backed_up, based, renewed]


@pytest.mark.parametrize("judge", [*YOUNG, never_backed_up, ordered, replicating, replicated])
@pytest.mark.parametrize("days", [1, 4000])
def test_what_is_yet_to_come_is_not_known(judge: Callable[[float], Iterable[Finding]], days: int) -> None:
    (found,) = judge(NOW + days * DAY)
    assert found.weight is Weight.UNKNOWN and "later than now" in found.told, found


@pytest.mark.parametrize("judge", YOUNG)
def test_a_clock_that_is_a_little_ahead_is_nothing(judge: Callable[[float], Iterable[Finding]]) -> None:
    assert all(found.weight is Weight.FINE for found in judge(NOW + 60))


def test_a_secret_that_will_be_refreshed_was_not_refreshed() -> None:
    one = seen("ExternalSecret", spec__refreshInterval="1h", status__refreshTime=stamp(NOW + 30 * DAY))
    assert "later than now" in external_secrets._late(one, NOW)
    now = (("spec.refreshInterval", "1h"), ("status.refreshTime", stamp(NOW)))
    assert external_secrets._late(replace(one, values=now), NOW) == ""


def test_a_hold_of_a_day_that_is_yet_to_come_is_told() -> None:
    claim = HeldClaim("apps", "notes", HoldState.HELD, "notes-dst", "notes", since=NOW + 30 * DAY)
    record = SimpleNamespace(claims=(claim,))
    look = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW), hold=SimpleNamespace(record=lambda: record))
    found = old_holds.OldHolds().probe(cast("LookContext", look))
    assert found.condition is Condition.DRIFTED and "later than now" in " ".join(found.evidence)
