"""A drill beside a house that lives, on the wire: real API server, VolSync's parts, pods that really run, real restic."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.backups.stores.local import LocalPlace
from adapters.drills.fence import SCRATCH
from adapters.drills.results import FenceWall
from adapters.drills.store import CANARY
from bench.proof import data_packs, key_of
from engine.errors import EXIT_OK
from engine.secrets import Secret
from lab.running.past import FILES, SIZE
from tests.crash.wire.bench import Bench, Line
from tests.crash.wire.outside import kubectl
from tests.lab.parts.pods.test_netpolicy import cables

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]
CLAIM = "selfhosted/notes"
HEADS = 1.1
"""Bytes on a cable for each that was sent over it: packets have heads, and what answers ours are packets too."""
OF_THE_HOUSE = (
    "namespaces", "persistentvolumeclaims", "persistentvolumes", "replicationsources", "replicationdestinations", "volumesnapshots",
    "deployments", "services", "secrets", "serviceaccounts", "configmaps", "networkpolicies", "resourcequotas", "jobs",
    "validatingadmissionpolicies", "validatingadmissionpolicybindings", "clusterroles", "clusterrolebindings", "leases",
    "kustomizations.kustomize.toolkit.fluxcd.io",
)  # fmt: skip


def test_a_drill_passes_nothing_of_it_is_left_and_the_house_is_as_it_was(restored: Bench, tmp_path: Path) -> None:
    backed_up = last_backup(restored)
    before, stored, sent = settled(restored), store(restored), restored.ask("sent")
    ended = restored.run("dr.rehearse", "--claims", CLAIM, "--report", str(tmp_path / "evidence"))
    assert ended.code == EXIT_OK, ended.result
    sent_then = restored.ask("sent")
    drill = ended.result["drill"]
    assert (drill["verdict"], drill["reasons"], drill["simulated"]) == ("PASS", [], True)
    assert [(claim["name"], claim["verdict"]) for claim in drill["claims"]] == [(CLAIM, "PASS")]
    assert drill["claims"][0]["files"] > 0
    assert drill["claims"][0]["not_compared"] == []
    assert [(part["name"], part["proven"]) for part in drill["fence"]] == [(wall.value, True) for wall in FenceWall]
    assert (drill["control"]["name"], drill["control"]["caught"]) == ("byte-flipped", True)
    assert (drill["canary"]["verdict"], drill["canary"]["detail"]) == ("PASS", "exactly what was written came back")
    assert list((restored.folder.root / "store" / "buckets" / "backups" / CANARY / "snapshots").iterdir())
    assert world(restored) == before
    # The house goes on by its schedule, at every full hour: a backup of its own that came due meanwhile is in there too.
    undisturbed = last_backup(restored) == backed_up
    if undisturbed:
        received_is_what_was_sent(restored, drill, sent, sent_then)
    found = store(restored)
    assert (found if undisturbed else {name: found.get(name) for name in stored}) == stored
    assert not [name for name in found if name.startswith("locks/")]
    assert (tmp_path / "evidence" / "report.html").exists()
    assert restored.run("dr.report", "--check", str(tmp_path / "evidence")).code == EXIT_OK


def received_is_what_was_sent(bench: Bench, drill: dict[str, Any], before: Line, after: Line) -> None:
    """What the report says that its restores have fetched, held against what the store's door has sent meanwhile.

    No less than the packs of files' bytes, which restores alone read: a proof reads lists. No more than all that was sent, to the
    fence's trials, the proofs and us too; a pod's network counts the heads of packets besides.
    """
    counts = drill["claims"][0]["received_bytes"], drill["control"]["received_bytes"]
    if None in counts and not cables():
        return  # this kernel has no veth(4): nothing is counted
    packs = data_packs(place := LocalPlace(repository(bench)), key_of(place, Secret(password(bench))))
    files = sum(
        count - before["objects"].get(key, 0) for key, count in after["objects"].items() if key.rpartition("/")[2] in packs
    )
    most = (after["bytes"] - before["bytes"]) * HEADS
    assert 2 * FILES * SIZE <= files <= sum(counts) <= most, "both restores fetch every file"
    assert files / 2 <= min(counts) and max(counts) <= most / 2


def password(bench: Bench) -> str:
    return (bench.folder.secrets / "restic-password").read_text().strip()


def repository(bench: Bench) -> Path:
    return bench.folder.root / "store" / "buckets" / "backups" / "notes"


def settled(bench: Bench) -> dict[str, str]:
    """The world once the restore before it has ended: VolSync takes its marks away some time after the claim is filled."""
    deadline = time.monotonic() + 60.0
    before = world(bench)
    while time.monotonic() < deadline:
        time.sleep(2.0)
        found = world(bench)
        if found == before and not any("volpop" in told for told in found.values()):
            return found
        before = found
    raise AssertionError("the house does not come to rest")


def world(bench: Bench) -> dict[str, str]:
    """Every object of these kinds by its kind and name, with its uid and what was asked for in it. What only tells how it goes
    (status, a Lease's renewal, Events) is not the drill's to keep."""
    items = json.loads(kubectl(bench, "get", ",".join(OF_THE_HOUSE), "-A", "-o", "json"))["items"]
    found = {}
    for item in items:
        meta = item["metadata"]
        key = f"{item['kind']} {meta.get('namespace', '')}/{meta['name']}"
        asked = {part: item.get(part) for part in ("spec", "data")} if item["kind"] not in ("Lease", "Job") else {}
        found[key] = f"{meta['uid']} {json.dumps([asked, meta.get('labels')], sort_keys=True)}"
    assert not [key for key in found if SCRATCH in key or CANARY in key]
    return found


def last_backup(bench: Bench) -> str:
    """When the house's own last backup of the claim ended, as VolSync tells it; one that is at work is waited for."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        status = json.loads(kubectl(bench, "get", "replicationsource", "notes", "-n", "selfhosted", "-o", "json"))["status"]
        if "lastSyncStartTime" not in status:
            return str(status["lastSyncTime"])
        time.sleep(1.0)
    raise AssertionError("a backup of the house does not end")


def store(bench: Bench) -> dict[str, str]:
    """Every object in the application's repository, with its digest: not even a lock may have come or gone."""
    place = repository(bench)
    found = {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in place.rglob("*") if path.is_file()
    }
    assert "config" in found, "a repository that is not there would be as it was"
    return found
