"""A Ceph is judged by its codes and its numbers: its status word alone says nothing, and what it does not tell is not fine."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.ceph.reading import ceph_pools, ceph_status, hosted_pools
from adapters.ceph.results import CephPool
from cluster.storage.ceph.judge import judge
from cluster.storage.ceph.verdict import CephVerdict
from cluster.storage.findings import Finding, Weight, worst
from engine.errors import TransientError

FSID = "0c5f1d52-0000-4000-8000-000000000001"


def healthy() -> dict[str, Any]:
    """What a small, whole Ceph answers: three hosts, a filesystem, one group being scrubbed."""
    return {
        "fsid": FSID,
        "health": {"status": "HEALTH_OK", "checks": {}, "mutes": []},
        "quorum": [0, 1, 2],
        "monmap": {"num_mons": 3},
        "osdmap": {"num_osds": 3, "num_up_osds": 3, "num_in_osds": 3},
        "pgmap": {
            "num_pgs": 33, "num_pools": 2,
            "pgs_by_state": [
                {"state_name": "active+clean", "count": 32}, {"state_name": "active+clean+scrubbing+deep", "count": 1},
            ],
        },
        "fsmap": {"in": 1, "up": 1, "max": 1, "by_rank": [{"filesystem_id": 1, "rank": 0, "name": "a", "status": "up:active"}]},
        "mgrmap": {"available": True},
    }  # fmt: skip


def warned(code: str, message: str = "said so", *, severity: str = "HEALTH_WARN", muted: bool = False, detail: str = "") -> Any:
    """A status whose health is one check; the status word follows it unless it is muted."""
    answer = healthy()
    lines = [{"message": detail}] if detail else []
    answer["health"]["checks"][code] = {
        "severity": severity, "summary": {"message": message, "count": 1}, "detail": lines, "muted": muted
    }  # fmt: skip
    answer["health"]["status"] = "HEALTH_OK" if muted else severity
    return answer


def verdict(answer: Any, pools: tuple[CephPool, ...] | None = None, fsid: str = "") -> CephVerdict:
    return judge(ceph_status(answer, pools=pools), fsid)


def heaviest(findings: tuple[Finding, ...], weight: Weight) -> list[str]:
    return [one.told for one in findings if one.weight is weight]


def test_a_whole_ceph_is_fine_in_every_part() -> None:
    found = verdict(healthy())
    assert {one.weight for one in found.all} == {Weight.FINE}
    assert "OSDs: 3 up and in" in heaviest(found.whole, Weight.FINE)


@pytest.mark.parametrize(
    ("path", "value", "weight", "says"),
    [
        (("osdmap", "num_up_osds"), 2, Weight.NOTED, "OSDs: 2 of 3 are up, 3 in"),
        (("osdmap", "num_in_osds"), 2, Weight.NOTED, "OSDs: 3 of 3 are up, 2 in"),
        (("osdmap", "num_up_osds"), 0, Weight.BLOCKS, "OSDs: 0 of 3 are up"),
        (("osdmap", "num_in_osds"), 0, Weight.BLOCKS, "OSDs: 3 of 3 are up, 0 in"),
        (("osdmap", "num_osds"), 0, Weight.BLOCKS, "OSDs: there is none"),
        (("quorum",), [0, 1], Weight.NOTED, "monitors: 2 of 3 agree"),
        (("quorum",), [0], Weight.BLOCKS, "monitors: 1 of 3 agree: no majority"),
        (("mgrmap", "available"), False, Weight.BLOCKS, "manager: none is there"),
        (("pgmap", "num_pgs"), 40, Weight.BLOCKS, "groups: 7 have no state"),
        (("pgmap", "num_pgs"), 0, Weight.BLOCKS, "groups: no placement group"),
        (("fsmap", "by_rank"), [], Weight.BLOCKS, "filesystems: 1 of 1 rank without a server"),
        (("health", "status"), "HEALTH_ERR", Weight.BLOCKS, "health: it says HEALTH_ERR, and not why"),
        (("health", "status"), "HEALTH_WARN", Weight.NOTED, "health: it says HEALTH_WARN, and not why"),
        (("health", "status"), "GREEN", Weight.UNKNOWN, "health: it says GREEN, and not why"),
    ],
)
def test_numbers_count_whatever_the_status_word_is(path: tuple[str, ...], value: Any, weight: Weight, says: str) -> None:
    answer = healthy()
    put(answer, path, value)
    found = verdict(answer).all
    assert worst(found) is weight
    assert any(told.startswith(says) for told in heaviest(found, weight)), heaviest(found, weight)


@pytest.mark.parametrize("state", [
    "stale+active+clean", "undersized+peered", "undersized+degraded+peered", "unknown", "creating", "peering", "down", "incomplete",
    "active+clean+inconsistent", "active+recovery_unfound+degraded", "active+backfill_toofull+remapped", "", "activating",
    "active+clean+snaptrim_error",
])  # fmt: skip
def test_a_group_that_serves_nothing_or_is_not_whole_stops_a_restore(state: str) -> None:
    assert worst(verdict(grouped(state)).whole) is Weight.BLOCKS


@pytest.mark.parametrize("state", [
    "active+undersized+degraded", "active+undersized", "active+clean+remapped", "active+remapped+backfilling",
    "active+recovery_wait+degraded", "active+clean+laggy",
])  # fmt: skip
def test_a_group_that_serves_with_fewer_copies_is_told(state: str) -> None:
    assert worst(verdict(grouped(state)).whole) is Weight.NOTED


def test_without_a_manager_no_group_is_called_fine() -> None:
    answer = healthy()
    answer["mgrmap"]["available"] = False
    assert not [one for one in verdict(answer).whole if one.part == "groups" and one.weight is Weight.FINE]


@pytest.mark.parametrize(
    ("code", "severity", "weight"),
    [
        ("OSD_BACKFILLFULL", "HEALTH_WARN", Weight.BLOCKS), ("PG_AVAILABILITY", "HEALTH_WARN", Weight.BLOCKS),
        ("SLOW_OPS", "HEALTH_WARN", Weight.BLOCKS), ("OSD_SCRUB_ERRORS", "HEALTH_ERR", Weight.BLOCKS),
        ("OSD_NEARFULL", "HEALTH_WARN", Weight.NOTED), ("MGR_MODULE_ERROR", "HEALTH_ERR", Weight.NOTED),
        ("MON_CLOCK_SKEW", "HEALTH_WARN", Weight.NOTED), ("AUTH_INSECURE_KEYS_ALLOWED", "HEALTH_WARN", Weight.FINE),
        ("NEVER_HEARD_OF", "HEALTH_WARN", Weight.NOTED), ("NEVER_HEARD_OF", "HEALTH_ERR", Weight.BLOCKS),
        ("NEVER_HEARD_OF", "HEALTH_NEW", Weight.UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("muted", [False, True])
def test_a_code_counts_by_what_it_is_muted_or_not(code: str, severity: str, weight: Weight, *, muted: bool) -> None:
    found = verdict(warned(code, severity=severity, muted=muted)).all
    assert worst(found) is weight
    said = next(one for one in found if one.code == code)
    assert ("muted by hand" in said.detail) is muted


def test_each_flag_is_named_and_only_those_that_hang_writes_stop() -> None:
    found = verdict(warned("OSDMAP_FLAGS", "noout,norecover flag(s) set")).whole
    assert [one.part for one in found if one.code] == ["flag noout", "flag norecover"]
    assert worst(found) is Weight.NOTED
    paused = verdict(warned("OSDMAP_FLAGS", "pauserd,pausewr,noout flag(s) set", muted=True)).whole
    assert worst(paused) is Weight.BLOCKS
    assert next(one for one in paused if one.part == "flag pausewr").hint.endswith("ceph osd unset pause")


def test_flags_in_other_words_are_told_as_they_are() -> None:
    found = verdict(warned("OSDMAP_FLAGS", "something new")).whole
    assert [one.told for one in found if one.code] == ["health: something new (OSDMAP_FLAGS)"]


def test_what_is_wrong_with_cephfs_alone_stands_apart() -> None:
    answer = warned("MDS_ALL_DOWN", severity="HEALTH_ERR")
    answer["fsmap"] = {"in": 1, "up": 0, "by_rank": []}
    found = verdict(answer)
    assert (worst(found.whole), worst(found.filesystems)) == (Weight.FINE, Weight.BLOCKS)


def test_a_server_that_died_is_seen_while_ceph_says_ok() -> None:
    answer = healthy()
    answer["fsmap"]["by_rank"][0]["status"] = "up:active(laggy or crashed)"
    assert heaviest(verdict(answer).filesystems, Weight.BLOCKS) == ["filesystems: rank 0 is up:active(laggy or crashed)"]


def test_a_full_pool_concerns_that_pool_alone() -> None:
    found = verdict(warned("POOL_FULL", "1 pool(s) full", detail="pool 'media' is full (running out of quota)"))
    assert (worst(found.whole), worst(found.of_pool("media")), found.of_pool("rbd")) == (Weight.FINE, Weight.BLOCKS, ())
    unnamed = verdict(warned("POOL_FULL", "1 pool(s) full"))
    assert worst(unnamed.whole) is Weight.BLOCKS


def test_pools_are_judged_by_their_own_numbers() -> None:
    used = {"rbd": {"stored": 940, "max_avail": 7}, "full": {"stored": 1, "max_avail": 0}}
    df = {"pools": [{"name": name, "stats": stats} for name, stats in used.items()]}
    details = [
        {"pool_name": "rbd", "size": 3, "min_size": 2, "quota_max_bytes": 1000},
        {"pool_name": "full", "size": 1, "min_size": 1, "quota_max_bytes": 0},
    ]
    pools = ceph_pools(df, details)
    found = verdict(healthy(), pools)
    assert heaviest(found.of_pool("rbd"), Weight.NOTED) == ["pool rbd: 94% of its quota of 1,000 bytes is used"]
    assert worst(found.of_pool("full")) is Weight.BLOCKS
    few = healthy()
    few["osdmap"]["num_up_osds"] = 1
    assert worst(verdict(few, pools).of_pool("rbd")) is Weight.BLOCKS


def test_another_ceph_than_the_one_that_is_meant_is_no_good_news() -> None:
    assert worst(verdict(healthy(), fsid=FSID).whole) is Weight.FINE
    assert worst(verdict(healthy(), fsid="another").whole) is Weight.BLOCKS


def test_proxmox_puts_whole_maps_there_and_writes_numbers_as_text() -> None:
    answer = healthy()
    answer["monmap"] = {"mons": [{"name": one} for one in "abc"]}
    answer["mgrmap"] = {"available": 1, "active_name": "a"}
    answer["osdmap"] = {"num_osds": "3", "num_up_osds": "3", "num_in_osds": "3"}
    assert worst(verdict(answer).all) is Weight.FINE
    assert hosted_pools([{"pool_name": "rbd", "size": 3, "min_size": 2, "bytes_used": 5}]) == (CephPool("rbd", 3, 2),)


# What is no answer, or half of one.


@pytest.mark.parametrize("answer", [None, [], "", "HEALTH_OK", 7, {}, {"data": healthy()}, {"status": "HEALTH_OK"}])
def test_what_no_ceph_would_answer_is_an_error_that_may_pass(answer: Any) -> None:
    with pytest.raises(TransientError):
        ceph_status(answer)


@pytest.mark.parametrize("part", ["fsid", "health", "quorum", "monmap", "osdmap", "pgmap", "fsmap", "mgrmap"])
@pytest.mark.parametrize("odd", [None, "", [], {}, 7, -1, "x" * 100_000, [[]], {"a": {}}, True, float("nan")])
def test_a_part_that_is_absent_or_of_another_shape_is_never_fine(part: str, odd: Any) -> None:
    without = healthy()
    del without[part]
    found = verdict(without)
    assert worst(found.all) in (Weight.UNKNOWN, Weight.BLOCKS)
    assert worst(verdict(healthy() | {part: odd}).all) in (Weight.UNKNOWN, Weight.BLOCKS)


def test_no_odd_value_anywhere_in_it_is_a_traceback() -> None:
    odd: list[Any] = [None, "", "much", [], {}, -1, 10**30, True, 1.5, float("inf"), [None], {"x": None}, ["x"] * 2000]
    for path in paths(warned("POOL_FULL", detail="pool 'rbd' is full")):
        for value in odd:
            answer = warned("POOL_FULL", detail="pool 'rbd' is full")
            put(answer, path, value)
            worst(verdict(answer).all)
    assert ceph_pools({"pools": [{"name": "rbd"}]}, []) is None
    assert ceph_pools(None, None) is None
    assert hosted_pools({"data": []}) is None


def put(answer: Any, path: tuple[Any, ...], value: Any) -> None:
    """Set what stands at a path of keys and numbers."""
    here = answer
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = copy.deepcopy(value)


def grouped(state: str) -> Any:
    answer = healthy()
    answer["pgmap"]["pgs_by_state"][0]["state_name"] = state
    return answer


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a decoded JSON, but for the whole."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from paths(one, (*at, key))
