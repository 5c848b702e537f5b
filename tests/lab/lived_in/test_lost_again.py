"""The chain that ate a house's backups weeks after its restore: a claim is lost while the cluster lives, Flux makes it again, the
mover finds an empty place, the application writes defaults, and retention takes the good snapshots. Real controllers, real restic.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from engine.errors import EXIT_HELD, EXIT_OK
from lab.houses.repository import run_program
from lab.parts.kube import CLAIMS, CONFIG_MAPS, DESTINATIONS, SOURCES, Resource
from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl
from tests.lab.built.rows import red_rows

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]
SPACE, APP = "selfhosted", "notes"
_LIMIT_S = 90.0
# Without the hold the first backup of defaults was there within this time.
_POISONING_S = 20.0
_uses = count(1)


@pytest.fixture(scope="module")
def two_kept(restored: Bench) -> Bench:
    """The house keeps two backups. Whoever loses its claim restores it."""
    keep_last(restored, 2)
    return restored


@pytest.fixture
def house(two_kept: Bench) -> Bench:
    """The same house, which has used its volume since: its two backups are this test's own."""
    before = snapshots(two_kept)
    for _ in range(4):
        if len(snapshots(two_kept) - before) < 2:
            back_up(two_kept, f"used-{next(_uses)}")
    assert len(snapshots(two_kept) - before) == 2
    return two_kept


@pytest.mark.parametrize("verb", ["cluster.bootstrap", "dr.hold"])
def test_with_the_renewed_hold_none_goes_and_a_restore_brings_the_data_back(house: Bench, verb: str) -> None:
    good, before = snapshots(house), digest(house)
    lose_the_claim(house)
    assert f"hold.declare/{SPACE}/{APP}" in red_rows(house.run("cluster.verify"))
    holding = house.begin(verb, *([f"{SPACE}/{APP}"] if verb == "dr.hold" else []))
    until(lambda: held(house), "the hold")
    house.ask("trouble", name="repository-late", target=APP)
    reconcile(house, "kustomization", "cluster-apps", "flux-system")
    assert holding.end().code in (EXIT_OK, EXIT_HELD)
    until(lambda: "hold" in syncing(house, SOURCES, APP), "a refused backup")
    time.sleep(_POISONING_S)
    house.ask("trouble", name="repository-late", target=APP, end=True)
    assert "hold" in syncing(house, DESTINATIONS, f"{APP}-bootstrap")
    assert got(house, CLAIMS, APP)["status"]["phase"] == "Pending"
    assert snapshots(house) == good
    assert house.run("dr.restore").code == EXIT_OK
    assert digest(house) == before
    assert snapshots(house) & good


def test_without_the_renewed_hold_the_good_snapshots_go(house: Bench) -> None:
    """Comes last: nothing is left to restore from."""
    good = snapshots(house)
    lose_the_claim(house)
    made_again_too_early(house)
    until(lambda: digest(house)["files"] > 0, "the application's defaults")
    assert len(good) == 2
    backups = 0
    while good & snapshots(house) and backups < 4:
        backups += 1
        back_up(house, f"again-{backups}")
    assert not good & snapshots(house), f"after {backups} backups {len(good & snapshots(house))} of 2 good snapshots are left"


def held(bench: Bench) -> bool:
    """Whether the record holds the claim."""
    record = bench.kube.get(CONFIG_MAPS, "hold", "blackstart") or {}
    return bool(record["data"].get(f"state.{SPACE}.{APP}") == "held")


def syncing(bench: Bench, kind: Resource, name: str) -> str:
    """What VolSync says about its work on a source or destination."""
    conditions = got(bench, kind, name).get("status", {}).get("conditions", [])
    return " ".join(c["message"] for c in conditions if c["type"] == "Synchronizing" and c["reason"] == "Error")


def keep_last(bench: Bench, number: int) -> None:
    """The user's Git asks for another retention, and Flux has applied it."""
    source = bench.folder.clone / "kubernetes" / "components" / "volsync" / "replicationsource.yaml"
    head, retain, _ = source.read_text().partition("    retain:\n")
    source.write_text(f'{head}{retain}      last: "{number}"\n')
    for words in (("commit", "--quiet", "--all", "--message", "Keep fewer backups"), ("push", "--quiet", "origin", "main")):
        run_program(bench.folder.clone, "git", *words)
    reconcile(bench, "gitrepository", "flux-system", "flux-system")
    wanted = {"last": str(number)}
    # A new commit lets every Kustomization of its source look again by itself.
    until(lambda: got(bench, SOURCES, APP)["spec"]["restic"]["retain"] == wanted, "retention")


def reconcile(bench: Bench, kind: str, name: str, space: str) -> None:
    """What `flux reconcile` writes."""
    kubectl(bench, "annotate", "--overwrite", kind, name, "-n", space, f"reconcile.fluxcd.io/requestedAt={time.time_ns()}")


def back_up(bench: Bench, trigger: str) -> None:
    """One backup from its trigger to its end, whatever the schedule says.

    One that is at work already is waited for: at its end VolSync would write this trigger's name beside it, and make no other.
    One that begins between this look and the trigger still can be credited so: who counts snapshots counts them in the store.
    """
    until(lambda: "lastSyncStartTime" not in got(bench, SOURCES, APP).get("status", {}), "no backup at work")
    patch = json.dumps({"spec": {"trigger": {"manual": trigger}}})
    # Under kubectl's own name Flux would take it away again.
    kubectl(bench, "patch", "replicationsource", APP, "-n", SPACE, "--type=merge", "--field-manager=person", "-p", patch)
    until(lambda: got(bench, SOURCES, APP).get("status", {}).get("lastManualSync") == trigger, f"the backup {trigger}")


def lose_the_claim(bench: Bench) -> None:
    """The namespace is gone with its claim, its backup and its restore; etcd, and what the hold's record says, live on."""
    kubectl(bench, "delete", "namespace", SPACE, "--timeout=60s")


def made_again_too_early(bench: Bench) -> None:
    """Flux makes all of it again while the place of the backups is not mounted yet; then it is."""
    bench.ask("trouble", name="repository-late", target=APP)
    reconcile(bench, "kustomization", "cluster-apps", "flux-system")
    image = "the image of a restore that found nothing"
    until(lambda: got(bench, DESTINATIONS, f"{APP}-bootstrap").get("status", {}).get("latestImage"), image)
    bench.ask("trouble", name="repository-late", target=APP, end=True)


def snapshots(bench: Bench) -> set[str]:
    """Names of the snapshots in the application's repository, as they lie in the store."""
    place = bench.folder.root / "store" / "buckets" / "backups" / APP / "snapshots"
    return {path.name for path in place.iterdir()}


def digest(bench: Bench) -> dict[str, Any]:
    """What is on the claim's volume, told by the lab itself; no files while it has none."""
    bound = got(bench, CLAIMS, APP).get("status", {}).get("phase") == "Bound"
    return bench.ask("digest", namespace=SPACE, claim=APP) if bound else {"files": 0}


def got(bench: Bench, kind: Resource, name: str) -> dict[str, Any]:
    """One object of the application's namespace; {} when it is not there."""
    return bench.kube.get(kind, name, SPACE) or {}


def until(done: Callable[[], object], what: str) -> None:
    """Ask until it says yes."""
    deadline = time.monotonic() + _LIMIT_S
    while not done():
        assert time.monotonic() < deadline, f"{what}: not within {_LIMIT_S:.0f} s"
        time.sleep(0.3)
