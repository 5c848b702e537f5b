"""What a look at a NAS means: unknown is never fine, whatever an answer leaves out or holds besides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.nas import reading
from adapters.nas.adapter import QUESTIONS
from adapters.nas.results import (
    Alert,
    Dataset,
    NasLook,
    NasTrouble,
    NfsExport,
    Pool,
    Replication,
    Scan,
    Snapshots,
    Trouble,
    Unheard,
)
from adapters.nas.versions import chosen
from adapters.nas.wording import error_of
from cluster.storage.findings import Weight, worst
from cluster.storage.nas.judge import Part, findings, source_findings
from cluster.storage.nas.pools import of_pool
from cluster.storage.nas.upkeep import alert_findings, replication_findings
from house.settings.references import SecretRef
from house.values.nas import Export, Nas, NasExport
from lab.ports.machines.nas import ModelledNas
from lab.world.clock import VirtualClock
from lab.world.nas import LabUser, sample_nas
from tests.drawn import MORE

NAS = Nas(
    "nas", "nas.lan", 443, "", "/ca.pem", "blackstart", SecretRef(("env:K",)), datasets=("tank/backup",),
    exports=(NasExport(Export.NFS, "/mnt/tank/backup", "apps/notes"), NasExport(Export.SMB, "media", "media/films")),
)  # fmt: skip
NOW = 1_800_000_000.0
FRESH = Scan("SCRUB", "FINISHED", NOW - 90000, NOW - 86400, 0, 100.0)
GOOD = Pool("tank", "ONLINE", True, False, "OK", "", 100, 60, FRESH)


def in_order() -> NasLook:
    clock = VirtualClock()
    return ModelledNas({"nas": sample_nas(clock.now(), LabUser("blackstart", "k"))}, clock).look(NAS)


def weight(part: Part, look: NasLook, nas: Nas = NAS) -> Weight:
    return worst(findings(part, nas, look, look.asked_at or NOW, (), ssh=False))


def test_everything_is_fine_of_a_box_in_order() -> None:
    look = in_order()
    assert {part: weight(part, look) for part in Part} == dict.fromkeys(Part, Weight.FINE)
    assert worst(source_findings(NAS, look, "/mnt/tank/backup/notes", ssh=True)) is Weight.FINE


@pytest.mark.parametrize("field", ["pools", "datasets", "nfs", "smb", "services", "tasks", "snapshots", "replications", "alerts"])
def test_a_question_that_was_refused_is_unknown_in_each_row_that_stands_on_it_and_never_fine(field: str) -> None:
    look = replace(in_order(), **{field: Unheard("may not be asked", "EACCES")})  # type: ignore[arg-type]  # by name
    weights = {part: weight(part, look) for part in Part}
    assert Weight.UNKNOWN in weights.values(), weights
    assert Weight.BLOCKS not in weights.values(), weights
    if field in ("pools", "datasets", "services"):
        assert worst(source_findings(NAS, look, "/mnt/tank/backup", ssh=True)) is Weight.UNKNOWN


@pytest.mark.parametrize("changes, expected", [
    ({"warning": True, "code": "FEAT_DISABLED"}, Weight.FINE), ({"warning": True, "code": "HOSTID_MISMATCH"}, Weight.BLOCKS),
    ({"warning": None}, Weight.UNKNOWN), ({"healthy": None}, Weight.UNKNOWN), ({"healthy": False}, Weight.BLOCKS),
    ({"status": ""}, Weight.UNKNOWN),
    ({"status": "OFFLINE", "healthy": False, "size": None, "free": None, "scan": None}, Weight.BLOCKS),
    ({"status": "DEGRADED"}, Weight.BLOCKS), ({"size": None}, Weight.UNKNOWN),
    ({"free": 3}, Weight.BLOCKS), ({"free": 15}, Weight.NOTED),
    ({"scan": replace(FRESH, errors=1)}, Weight.BLOCKS), ({"scan": replace(FRESH, errors=None)}, Weight.UNKNOWN),
    ({"scan": replace(FRESH, function="RESILVER", state="SCANNING", ended=None)}, Weight.NOTED),
    ({"odd": ("sda of data: 4 checksum errors",)}, Weight.BLOCKS),
])  # fmt: skip
def test_a_pool_is_judged_by_more_than_its_status(changes: dict[str, Any], expected: Weight) -> None:
    assert worst(of_pool(replace(GOOD, **changes))) is expected


@pytest.mark.parametrize("scan, expected", [
    (FRESH, Weight.FINE), (None, Weight.BLOCKS), (replace(FRESH, ended=NOW - 60 * 86400), Weight.BLOCKS),
    (replace(FRESH, ended=None), Weight.UNKNOWN), (replace(FRESH, function="RESILVER"), Weight.NOTED),
    (replace(FRESH, function="RESILVER", ended=NOW - 60 * 86400), Weight.UNKNOWN),
    (replace(FRESH, state="CANCELED"), Weight.NOTED), (replace(FRESH, state="SCANNING", paused=True), Weight.NOTED),
])  # fmt: skip
def test_a_resilver_hides_the_scrub_before_it(scan: Scan | None, expected: Weight) -> None:
    look = NasLook(pools=(replace(GOOD, scan=scan),), scrubs=(), asked_at=NOW)
    told = [one for one in findings(Part.SCRUBS, NAS, look, NOW, (), ssh=False) if "no task" not in one.detail]
    assert worst(told) is expected


@pytest.mark.parametrize("state, at, limit, expected", [
    ("FINISHED", NOW - 3600, 0.0, Weight.FINE), ("FINISHED", NOW - 90 * 3600, 36 * 3600.0, Weight.BLOCKS),
    ("FINISHED", None, 0.0, Weight.UNKNOWN), ("FINISHED", NOW + 9000, 0.0, Weight.UNKNOWN), ("ERROR", NOW, 0.0, Weight.BLOCKS),
    ("PENDING", None, 0.0, Weight.NOTED), ("PENDING", None, 3600.0, Weight.BLOCKS), ("HOLD", NOW, 0.0, Weight.NOTED),
    ("RUNNING", None, 0.0, Weight.NOTED), ("", None, 0.0, Weight.UNKNOWN), ("ODD", NOW, 0.0, Weight.UNKNOWN),
])  # fmt: skip
def test_a_replication_is_judged_by_its_state_and_age(state: str, at: float | None, limit: float, expected: Weight) -> None:
    one = Replication("off", True, ("tank",), "x/y", "PUSH", True, state, at)
    look = NasLook(replications=(one,))
    assert worst(replication_findings(replace(NAS, replication_age=limit), look, NOW)) is expected


@pytest.mark.parametrize("klass, level, dismissed, expected", [
    ("ZpoolCapacityCritical", "WARNING", False, Weight.BLOCKS), ("ZpoolCapacityWarning", "WARNING", False, Weight.NOTED),
    ("VolumeStatus", "CRITICAL", False, Weight.BLOCKS), ("VolumeStatus", "CRITICAL", True, Weight.FINE),
    ("New", "STRANGE", False, Weight.UNKNOWN), ("New", "INFO", False, Weight.NOTED),
])  # fmt: skip
def test_an_alert_is_judged_by_its_class_first(klass: str, level: str, dismissed: bool, expected: Weight) -> None:
    assert worst(alert_findings(NasLook(alerts=(Alert(klass, level, "", None, dismissed),)))) is expected


def test_an_export_over_a_dataset_that_is_locked_or_not_mounted_is_unknown() -> None:
    look = in_order()
    for changes in ({"locked": True, "mounted": False}, {"mounted": False}, {"mounted": None}):
        datasets = tuple(
            replace(one, **changes) if one.name == "tank/backup" else one for one in look.datasets  # type: ignore[union-attr, arg-type]
        )
        told = findings(Part.EXPORTS, NAS, replace(look, datasets=datasets), look.asked_at, (), ssh=False)
        assert told[0].weight is Weight.UNKNOWN, changes
    nfs = (NfsExport("/mnt/tank/backup", True, None),)
    assert weight(Part.EXPORTS, replace(look, nfs=nfs)) is Weight.UNKNOWN


def test_a_folder_below_an_export_is_served_by_it_and_a_neighbour_of_its_name_is_not() -> None:
    exports = (NasExport(Export.NFS, "/mnt/tank/backup/deep", "x"), NasExport(Export.NFS, "/mnt/tank/backup2", "y"))
    nas = replace(NAS, exports=exports)
    told = findings(Part.EXPORTS, nas, in_order(), NOW, (), ssh=False)
    assert [one.weight for one in told] == [Weight.FINE, Weight.BLOCKS]


def test_snapshots_follow_the_tasks_schedule_unless_the_settings_say_otherwise() -> None:
    look = in_order()
    old = tuple(replace(one, made=look.asked_at - 60 * 3600) for one in look.snapshots)  # type: ignore[union-attr]
    assert weight(Part.SNAPSHOTS, replace(look, snapshots=old)) is Weight.BLOCKS
    assert weight(Part.SNAPSHOTS, replace(look, snapshots=old), replace(NAS, snapshot_age=0.0)) is Weight.FINE
    assert weight(Part.SNAPSHOTS, replace(look, snapshots=old, tasks=())) is Weight.NOTED
    none = (Snapshots("tank/backup", "", None, 0),)
    assert weight(Part.SNAPSHOTS, replace(look, snapshots=none)) is Weight.BLOCKS
    assert weight(Part.SNAPSHOTS, replace(look, snapshots=(Snapshots("tank/backup", "tank/backup@x", None, 1),))) is Weight.UNKNOWN


def test_a_look_without_an_answer_says_so_in_its_first_row_and_at_the_gate() -> None:
    for trouble in Trouble:
        look = NasLook(NasTrouble(trouble, "seen"))
        assert weight(Part.ANSWERS, look) is Weight.UNKNOWN
        assert worst(source_findings(NAS, look, "/mnt/tank/backup", ssh=False)) is Weight.UNKNOWN
    assert weight(Part.ANSWERS, replace(in_order(), state="BOOTING")) is Weight.UNKNOWN


@pytest.mark.parametrize("listed, path", [
    (["v25.04.0", "v25.04.1", "v25.04.2"], "/api/v25.04.2"), (["v25.04.2", "v25.10.0", "v25.10.10", "v25.10.9"], "/api/v25.10.10"),
    (["v25.04.2", "v25.10.4", "v26.0.0"], "/api/v26.0.0"), (["v25.04.2", "v27.0.0"], "/api/current"),
    (["v25.04.2", "v25.10.4", "v26.0.0", "v27.0.1"], "/api/v26.0.0"), (["current", "odd"], "/api/current"),
])  # fmt: skip
def test_no_path_of_25_04_is_taken_on_a_newer_server(listed: list[str], path: str) -> None:
    assert chosen(listed)[0] == path


KEYS = [
    "name", "id", "status", "scan", "topology", "data", "children", "stats", "read_errors", "state", "$date", "parsed", "datetime",
    "klass", "level", "text", "path", "locked", "enabled", "service", "dataset", "schedule", "end_time", "percentage", "errors",
    "pool_name", "size", "free", "mountpoint",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS | st.sampled_from(["ONLINE", "SCRUB", 10**400, "tank"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,  # of each of nine answers
)


@settings(max_examples=50 * MORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers=st.lists(JSON, min_size=9, max_size=9))
def test_no_answer_however_odd_breaks_the_look_or_is_taken_for_good(answers: list[Any]) -> None:
    heard: dict[str, Any] = {
        part: reading.listed(answer, method, read) for (part, method, read), answer in zip(QUESTIONS, answers, strict=True)
    }
    error_of(answers[0])
    look = NasLook(asked_at=NOW, **heard)
    for part in Part:
        told = findings(part, NAS, look, NOW, (), ssh=True)
        assert told
        assert all(one.told.isprintable() for one in told)
    assert worst(source_findings(NAS, look, "/mnt/tank/backup", ssh=True)) in (Weight.UNKNOWN, Weight.BLOCKS)


def test_deep_and_large_things_are_bounded() -> None:
    nested: dict[str, Any] = {"status": "FAULTED", "disk": "sda"}
    for _ in range(700):
        nested = {"children": [nested], "status": "ONLINE", "name": "vdev"}
    found = reading.pool({"name": "tank", "topology": {"data": [nested]}, "size": 10**400, "scan": {"percentage": 1e308}})
    assert found is not None
    assert (found.size, found.scan is not None and found.scan.percentage) == (None, None)
    assert Dataset("tank", "tank", None).locked is None
