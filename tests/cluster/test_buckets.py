"""What a bucket keeps, told by an audit: never a yes for what was not seen, and the worst key is the bucket's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.backups.results import Repository
from adapters.versions.results import Keeping, May, StoreGuard, Undoing, Version
from cluster.backups.buckets import BucketAudit, audit_buckets
from console.screens.buckets import bucket_lines, bucket_rows
from engine.errors import TransientError
from engine.workers import Threads
from tests.builders import a_claim, a_house

BUCKET = "https://127.10.0.30:9000/backups"
DAY = 86400.0
KEPT = StoreGuard(BUCKET, Keeping.KEPT, "governance", 30 * DAY, 90 * DAY)
OURS, MOVERS = Undoing("the settings' own", May.NO), Undoing("Secret apps/notes-volsync-secret", May.NO)


class Told:
    """A store that says this."""

    def __init__(self, guard: StoreGuard | None, *keys: Undoing) -> None:
        self._guard, self._keys, self.asked = guard, keys, list[str]()

    def guard(self, repository: Repository) -> StoreGuard:
        if self._guard is None:
            raise TransientError("the store is silent")
        return self._guard

    def undoing(self, repository: Repository, namespace: str, secret: str) -> tuple[Undoing, ...]:
        self.asked.append(f"{namespace}/{secret}")
        return self._keys if secret else self._keys[:1]

    def history(self, repository: Repository) -> tuple[Version, ...]:
        raise AssertionError("an audit lists no versions")


def told(store: Told, **how: object) -> tuple[BucketAudit, str]:
    house = a_house(claims=(a_claim(), a_claim("photos"), a_claim("disk", open_as="/mnt/nas/disk")))
    (one,) = audit_buckets(store, house, Threads(), **how)  # type: ignore[arg-type]  # fields by name
    return one, " ".join(" ".join(bucket_lines([one])).split())


def test_versions_that_no_key_may_take_away_are_safe_and_for_how_long() -> None:
    one, line = told(Told(KEPT, OURS, MOVERS))
    assert one.safe and one.claims == ("apps/notes", "apps/photos")
    assert line == (
        f"bucket {BUCKET} (2 backups): versions are kept, for 90 days; a lock holds for 30 days (governance) "
        "taking versions away: refused to the settings' own, Secret apps/notes-volsync-secret"
    )


@pytest.mark.parametrize(("change", "said"), [
    (lambda g: replace(g, keeping=Keeping.NONE, lock=""), "versions are not kept: what is deleted is gone"),
    (lambda g: replace(g, keeping=Keeping.SUSPENDED), "not kept any more"),
    (lambda g: replace(g, keeping=Keeping.UNKNOWN, why=("versioning: AccessDenied",)), "versions are kept is not known"),
    (lambda g: replace(g, kept_s=None), "for how long is not known"),
    (lambda g: replace(g, lock=None), "a lock holds is not known"),
    (lambda g: replace(g, lock="", kept_s=0.0), "until somebody takes them away; no lock holds"),
])  # fmt: skip
def test_each_lack_has_its_words(change: Callable[[StoreGuard], StoreGuard], said: str) -> None:
    one, line = told(Told(change(KEPT), OURS, MOVERS))
    assert said in line
    assert one.safe is (one.guard is not None and one.guard.keeping is Keeping.KEPT)


@pytest.mark.parametrize(("may", "said"), [
    (May.YES, "possible with Secret apps/notes-volsync-secret"),
    (May.UNKNOWN, "not known of Secret apps/notes-volsync-secret (odd)"),
])  # fmt: skip
def test_one_key_that_may_or_is_not_known_makes_it_no_safe_place(may: May, said: str) -> None:
    one, line = told(Told(KEPT, OURS, replace(MOVERS, may=may, why="odd" if may is May.UNKNOWN else "")))
    assert not one.safe and said in line and line.endswith("docs/deletion.md has the set-up")


@pytest.mark.parametrize(("change", "tried"), [
    (lambda g: g, True), (lambda g: replace(g, keeping=Keeping.SUSPENDED, lock=""), True),
    (lambda g: replace(g, keeping=Keeping.UNKNOWN), True),  # what has a lock keeps versions
    (lambda g: replace(g, keeping=Keeping.UNKNOWN, lock=""), False),
    (lambda g: replace(g, keeping=Keeping.UNKNOWN, lock=None), False),
    (lambda g: replace(g, keeping=Keeping.NONE, lock=""), False), (lambda g: replace(g, keeping=Keeping.NONE, lock=None), False),
])  # fmt: skip
def test_no_key_is_tried_where_nothing_says_that_versions_are_kept(change: Callable[[StoreGuard], StoreGuard], tried: bool) -> None:
    store = Told(change(KEPT), OURS, MOVERS)
    one, line = told(store)
    assert (bool(store.asked), bool(one.keys), "taking versions away" in line) == (tried, tried, tried)


def test_a_cluster_that_was_not_asked_leaves_its_keys_unknown() -> None:
    store = Told(KEPT, OURS, MOVERS)
    one, line = told(store, not_asked="no API server answers")
    assert store.asked == ["apps/", "apps/"] and not one.safe
    assert "not known of the movers' own (no API server answers)" in line


def test_a_silent_store_is_not_looked_at_and_not_asked_twice() -> None:
    one, line = told(Told(None))
    assert one.guard is None and "not looked at for versions and locks (the store is silent)" in line
    store = Told(KEPT, OURS)
    one, _ = told(store, silent=("apps/notes", "apps/photos"))
    assert (one.guard, one.why, store.asked) == (None, "the store gave no answer", [])
    assert bucket_rows([one])[0]["versions"] is None and bucket_rows([one])[0]["safe"] is False
