"""A database of a house comes back by real PostgreSQL and barman-cloud, and is proven by SQL that its server answers in its pod.

Its operator calls healthy whatever answers. What was made empty, or stopped too early, is told all the same. The tests follow one
another in one house.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import EXIT_HELD, EXIT_PLAN_HAS_CHANGES, ApprovalMissing
from lab.houses.repository import run_program
from lab.modelled.stored import ROWS
from lab.parts.databases.cnpg import why_none
from lab.parts.databases.operator import CLUSTERS, HEALTHY
from lab.parts.kube import CLAIMS, PODS
from lab.wire.s3.objects import ObjectStore
from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench, Ended
from tests.crash.wire.outside import kubectl
from tests.lab.lived_in.conftest import PROGRAMS
from tests.lab.lived_in.test_lost_again import reconcile

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long, pytest.mark.asked]
KEY, SPACE, NAME = "database/pg", "database", "pg"
RESTORE, PROVE = f"dr.database-restore/{KEY}", f"dr.database-prove/{KEY}"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house of bare hosts was built; its one database waits for a restore, for Git declares no recovery."""
    needed(*PROGRAMS)
    if why := why_none():
        pytest.skip(f"no real database here: {why}")
    with Bench.of("one-node-database", tmp_path_factory.mktemp("db"), warm=True) as bench:
        bench.converge("cluster.bootstrap")
        yield bench


def restored(bench: Bench) -> Ended:
    """As a person does it: the recovery is written for review, the plan is read, and what it names is consented to."""
    assert bench.run("dr.restore", "--claims", KEY).code == ApprovalMissing.exit_code
    plan = bench.run("dr.plan", "--claims", KEY)
    assert plan.code == EXIT_PLAN_HAS_CHANGES, plan.result
    return bench.run("dr.restore", "--claims", KEY, "--approve", plan.result["plan"])


def told(ended: Ended, step: str) -> str:
    """What a step of the run said, with what its error has to show for it."""
    return json.dumps(next(one for one in ended.result["steps"] if one["id"] == step))


def cluster(bench: Bench) -> dict[str, Any]:
    found = bench.kube.get(CLUSTERS, NAME, SPACE)
    assert found is not None
    return found


def deleted(bench: Bench) -> None:
    """What the error says: by hand. All of it ends in order, and what it archived stays."""
    kubectl(bench, "delete", "clusters.postgresql.cnpg.io", NAME, "-n", SPACE, "--timeout=60s")
    kubectl(bench, "wait", "--for=delete", f"pvc/{NAME}-1", f"pod/{NAME}-1", "-n", SPACE, "--timeout=60s")


@pytest.mark.parametrize(
    ("lie", "says"),
    [("empty", "it is another database: its system identifier is "), ("early", "its log was replayed up to ")],
)
def test_what_its_operator_calls_healthy_is_not_believed(bench: Bench, lie: str, says: str) -> None:
    bench.ask("trouble", name=f"database-{lie}")
    ended = restored(bench)
    bench.ask("trouble", name=f"database-{lie}", end=True)
    assert (ended.code, cluster(bench)["status"]["phase"]) == (30, HEALTHY)
    assert HEALTHY in told(ended, RESTORE)
    assert says in told(ended, PROVE), told(ended, PROVE)
    deleted(bench)


def test_it_comes_back_to_the_end_of_its_log_and_the_real_server_says_so(bench: Bench) -> None:
    ended = restored(bench)
    assert ended.code == EXIT_HELD, ended.failures
    proof = told(ended, PROVE)
    assert "timeline 1 up to 0/" in proof and "now on timeline 2; 1 of its own questions answered as expected" in proof, proof
    assert "the application's login as app with Secret pg-app, a password that the operator made up, works" in proof
    rows = kubectl(bench, "exec", "-n", SPACE, f"{NAME}-1", "-c", "postgres", "--", "psql", "-U", "postgres", "-d", "app", "-Atc",
                   "SELECT row FROM notes ORDER BY n")  # fmt: skip
    assert tuple(rows.split()) == ROWS
    found = cluster(bench)
    assert found["status"]["systemID"] == kubectl(
        bench, "exec", "-n", SPACE, f"{NAME}-1", "--", "psql", "-U", "postgres", "-Atc",
        "SELECT system_identifier FROM pg_control_system()",
    ).strip()  # fmt: skip
    (plugin,) = found["spec"]["plugins"]
    server = plugin["parameters"]["serverName"]
    assert server.startswith("pg-2026-20") and server.endswith("-3"), "what was refuted has archived beside it"
    store = ObjectStore(bench.folder.root / "store")
    assert "wals/00000002.history.gz" in [key.removeprefix(f"{server}/") for key in store.keys("databases", f"{server}/")]
    assert list(store.keys("databases", "pg-2026/wals/00000002")) == [], "nothing is written to where it was restored from"


def test_it_is_handed_back_to_flux_once_git_names_where_it_archives(bench: Bench) -> None:
    before = cluster(bench)
    server = before["spec"]["plugins"][0]["parameters"]["serverName"]
    declared = bench.folder.clone / "kubernetes" / "apps" / "database" / "pg" / "app" / "cluster.yaml"
    declared.write_text(declared.read_text().replace("serverName: pg-2026", f"serverName: {server}"))
    run_program(bench.folder.clone, "git", "commit", "--quiet", "--all", "--message", "Archive the restored database elsewhere")
    run_program(bench.folder.clone, "git", "push", "--quiet", "origin", "main")
    reconcile(bench, "gitrepository", "flux-system", "flux-system")
    ended = bench.run("dr.restore", "--claims", KEY)
    assert ended.code == EXIT_HELD, ended.failures  # for the claim of the house's application, which this is not about
    assert json.loads(told(ended, PROVE))["outcome"] == "changed"
    after = cluster(bench)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "kustomize.toolkit.fluxcd.io/reconcile" not in after["metadata"].get("annotations", {})


def test_it_goes_with_its_cluster_and_leaves_nothing(bench: Bench) -> None:
    deleted(bench)
    assert bench.kube.list(CLAIMS, SPACE) == bench.kube.list(PODS, SPACE, "cnpg.io/cluster=pg") == []
    assert bench.ask("status")["errors"] == []
