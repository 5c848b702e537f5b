"""Which locks are dead: by age of both clocks, by their pods, and never a living owner's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from adapters.backups.results import RepositoryLock
from adapters.context import LookContext
from adapters.kubernetes.results import SeenPod
from recovery.locks import GONE_S, STALE_S, Owner, judged, owners

NOW = 1_790_000_000.0
MOVER = "volsync-src-notes-x7k2p"
THERE = SeenPod("apps", MOVER, "w-1")


def a_lock(lock_id: str, since: float, *, host: str = MOVER, **more: object) -> RepositoryLock:
    """An exclusive lock, renewed then by both clocks, in a store that tells its time."""
    given: dict[str, object] = {"written": since, "timed": True, "host": host, **more}
    return RepositoryLock(lock_id, since, f"root on {host}, process 1", **given)  # type: ignore[arg-type]  # fields by name


def of_age(age_s: float, **more: object) -> RepositoryLock:
    return a_lock("ab" * 32, NOW - age_s, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("lock", "owner", "dead", "word"),
    [
        (of_age(STALE_S), Owner(), True, "the cluster could not be asked"),
        (of_age(STALE_S), Owner(True), True, "its pod is gone"),
        (of_age(STALE_S, exclusive=False), Owner(True), True, "its pod is gone"),
        (of_age(STALE_S, host="desk"), Owner(True), True, "not renewed for 30 min"),
        (of_age(STALE_S), Owner(True, THERE, ready=False), True, "on node w-1, which is not ready"),
        (of_age(GONE_S), Owner(True), True, "and its pod is gone"),
        (of_age(STALE_S - 1), Owner(), False, "may live"),
        (of_age(GONE_S - 1), Owner(True), False, "may live"),
        (of_age(GONE_S, host="desk"), Owner(True), False, "may live"),
        (of_age(STALE_S * 9), Owner(True, THERE, ready=True), False, "its pod apps/volsync-src-notes-x7k2p is there"),
        (of_age(GONE_S, written=NOW - 60), Owner(True), False, "may live"),
        (of_age(STALE_S * 9, written=NOW - 60), Owner(), False, "may live"),
        (of_age(-3600, written=NOW - 9 * STALE_S), Owner(True), False, "ahead of this machine's clock"),
        (RepositoryLock("cd" * 32, 0.0, "", garbage=True, written=NOW - STALE_S), Owner(), True, "not renewed for 30 min"),
        (RepositoryLock("cd" * 32, 0.0, "", garbage=True, written=NOW - GONE_S), Owner(True), False, "may live"),
        (RepositoryLock("cd" * 32, 0.0, "", garbage=True), Owner(True), False, "nobody knows when"),
    ],
)
def test_a_lock_is_dead_only_by_a_proof(lock: RepositoryLock, owner: Owner, dead: bool, word: str) -> None:
    found = judged(lock, owner, NOW)
    assert (found.dead, word in found.told) == (dead, True), found.told


@pytest.mark.parametrize(("lock", "owner", "watch"), [
    (of_age(STALE_S), Owner(), False), (of_age(STALE_S, timed=False), Owner(), True),
    (of_age(STALE_S, timed=False, host="desk"), Owner(True), True), (of_age(STALE_S, timed=False), Owner(True), False),
    (of_age(STALE_S, timed=False), Owner(True, THERE, ready=False), True),
    (RepositoryLock("cd" * 32, 0.0, "", garbage=True, written=NOW - STALE_S), Owner(), True),
])  # fmt: skip
def test_what_rests_on_this_machines_clock_alone_is_watched_first(lock: RepositoryLock, owner: Owner, watch: bool) -> None:
    found = judged(lock, owner, NOW)
    assert (found.dead, found.watch, "watched for 6 min first" in found.told) == (True, watch, watch)


def test_it_says_whose_it_is_and_since_when() -> None:
    told = judged(of_age(7200), Owner(True), NOW).told
    assert told.startswith(f"exclusive lock abababab of root on {MOVER}, process 1, renewed last 2026-09-21T12:13:20Z")
    assert "shared lock" in judged(of_age(7200, exclusive=False), Owner(True), NOW).told
    assert "cannot be read" in judged(RepositoryLock("cd" * 32, 0.0, "", garbage=True, written=NOW - 7200), Owner(), NOW).told


@pytest.mark.parametrize("living", ["apps", "media"])
def test_of_two_pods_of_one_name_the_one_that_lives_owns_the_lock(living: str) -> None:
    pods = tuple(SeenPod(namespace, MOVER, "w-1" if namespace == living else "w-2") for namespace in ("apps", "media"))
    nodes = (SimpleNamespace(name="w-1", ready=True), SimpleNamespace(name="w-2", ready=False))
    look = SimpleNamespace(
        locks=SimpleNamespace(pods=lambda _names: pods), cluster=SimpleNamespace(nodes=lambda: nodes)
    )
    found = owners(cast("LookContext", look), (of_age(STALE_S),))[MOVER]
    assert found.lives and found.pod is not None and found.pod.namespace == living
