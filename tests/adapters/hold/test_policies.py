"""What the hold refuses and admits, asked of a real API server by dry run: every leak that was found and closed has its row."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from adapters.hold.adapter import KubernetesHold
from adapters.hold.record import NAMESPACE, RECORD
from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldState
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, Refused
from adapters.kubernetes.kinds import CLAIM, CONFIG_MAP, CRD, JOB, SNAPSHOT, Kind
from adapters.kubernetes.kinds import NAMESPACE as NAMESPACES
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.hold.objects import (
    NS,
    backup_job,
    claim_of,
    clone,
    database,
    denied,
    job,
    kopiur_job,
    made,
    prime,
    restore_job,
    snapshot,
    standing_crd,
)
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

CNPG = Kind("postgresql.cnpg.io", "v1", "clusters", "Cluster")
PIN = "2026-01-02T03:04:05Z"
Admits = Callable[[Kind, dict[str, Any]], str]


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(clients: Clients) -> ApiClient:
    found = clients.main()
    for name in (NS, "other", "ticks"):
        _quietly(partial(found.create, NAMESPACES, {"metadata": {"name": name}}))
    for kind in (SNAPSHOT, CNPG):
        _quietly(partial(found.create, CRD, standing_crd(kind)))
        deadline = time.monotonic() + 90
        while found.list_if_served(kind, NS) is None and time.monotonic() < deadline:
            time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def hold(clients: Clients, client: ApiClient) -> KubernetesHold:
    """The hold in place: seen to refuse on both API servers."""
    hold = KubernetesHold(clients, SystemClock())
    hold.put(held("notes"))
    hold.install(rebuilt=False)
    deadline = time.monotonic() + 90
    while not all(r.refused for r in hold.refusals()):
        assert time.monotonic() < deadline, hold.refusals()
        time.sleep(0.02)
    # The namespace's and the databases' policies have no canary: wait until the slowest of them bites as well.
    # Until their servers have the record at hand, policies refuse as well, but with another word.
    trial = {"apiVersion": CNPG.api_version, "kind": CNPG.name, **database("probe")}
    while client.ask("POST", CNPG.path(NS), "try a database", params={"dryRun": "All"}, body=trial).code != 403:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return hold


class Record:
    """Writes the record and waits until the API server judges by it (about ten milliseconds)."""

    def __init__(self, hold: KubernetesHold, client: ApiClient) -> None:
        self._hold, self._client, self._ticks = hold, client, itertools.count()

    def put(self, claim: HeldClaim) -> None:
        self._hold.put(claim)
        self.write({})

    def write(self, data: dict[str, str | None]) -> None:
        tick = f"tick-{next(self._ticks)}"
        self._client.merge(CONFIG_MAP, RECORD, {"data": data | {"rd.ticks.tick": tick}}, NAMESPACE)
        deadline = time.monotonic() + 90
        while denied(self._client, JOB, restore_job("tick", tick), "ticks"):
            assert time.monotonic() < deadline
            time.sleep(0.002)


@pytest.fixture
def record(hold: KubernetesHold, client: ApiClient) -> Record:
    return Record(hold, client)


def _quietly(create: Callable[[], object]) -> None:
    try:
        create()
    except AlreadyThere:
        return


def held(name: str, state: HoldState = HoldState.HELD, **changes: Any) -> HeldClaim:
    return HeldClaim(NS, name, state, f"{name}-dst", name, **changes)


def test_restore_is_admitted_only_for_the_pin(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    unpinned = denied(client, JOB, restore_job("notes-dst", ""))
    assert "not pinned yet" in unpinned
    assert unpinned.rstrip().endswith("lift it with: invoke dr.restore")
    assert denied(client, JOB, restore_job("notes-dst", None))
    assert denied(client, JOB, restore_job("notes-dst", PIN))

    record.put(held("notes", pin=PIN))
    assert denied(client, JOB, restore_job("notes-dst", PIN)) == ""
    assert PIN in denied(client, JOB, restore_job("notes-dst", "2026-01-02T03:04:06Z"))
    assert denied(client, JOB, restore_job("notes-dst", ""))
    assert denied(client, JOB, restore_job("notes-dst", None))
    assert denied(client, JOB, restore_job("notes-dst", PIN, previous="1"))


def test_foreign_destination_may_not_write_into_a_held_claim(record: Record, client: ApiClient) -> None:
    record.put(held("notes", HoldState.PROVEN, pin=PIN, image="img-1"))
    assert "held claim (notes)" in denied(client, JOB, restore_job("by-hand", "", claim="notes"))
    assert "does not know apps/by-hand" in denied(client, JOB, restore_job("by-hand", "", claim="someone-elses"))
    assert denied(client, JOB, restore_job("by-hand", "", claim="someone-elses"), "other") == ""


def test_a_restore_of_the_right_pin_may_not_mount_a_held_claim(record: Record, client: ApiClient) -> None:
    record.put(held("photos"))
    record.put(held("notes", pin=PIN))
    for claim in ("photos", "notes"):
        told = denied(client, JOB, restore_job("notes-dst", PIN, claim=claim))
        assert f"held claim ({claim})" in told
        assert told.rstrip().endswith("lift it with: invoke dr.restore")
    assert denied(client, JOB, restore_job("notes-dst", PIN, claim="volsync-notes-dst-dest")) == ""
    record.put(held("photos", HoldState.RELEASED))
    assert denied(client, JOB, restore_job("notes-dst", PIN, claim="photos")) == ""


def test_a_job_of_volsync_without_an_owner_may_not_mount_a_held_claim_either(record: Record, client: ApiClient) -> None:
    record.put(held("notes", pin=PIN))
    mine = {"name": "volsync-by-hand", "labels": {"app.kubernetes.io/created-by": "volsync"}}
    assert "held claim (notes)" in denied(client, JOB, job(mine, "notes", []))
    assert denied(client, JOB, job(mine, "a-copy-of-an-image", [])) == ""


def test_claim_is_filled_only_from_the_proven_image(record: Record, client: ApiClient) -> None:
    record.put(held("notes", pin=PIN))
    assert "apps.notes is held" in denied(client, CLAIM, prime("notes", "img-1"))
    record.put(held("notes", HoldState.PROVEN, pin=PIN, image="img-1"))
    assert denied(client, CLAIM, prime("notes", "img-1")) == ""
    other = denied(client, CLAIM, prime("notes", "img-2"))
    assert "img-1" in other
    assert "img-2" in other
    record.put(held("notes", HoldState.RELEASED))
    assert denied(client, CLAIM, prime("notes", "img-2")) == ""
    assert denied(client, CLAIM, prime("never-heard-of", "img-2")) == ""


def test_proven_without_an_image_fills_nothing(record: Record, client: ApiClient) -> None:
    record.put(held("notes", HoldState.PROVEN, pin=PIN))
    no_source = claim_of(made("vs-prime-1", "notes", "X", {"volsync.backube/populator-pvc-for": "notes"}))
    assert denied(client, CLAIM, no_source)
    assert denied(client, CLAIM, prime("notes", "img-1"))


def test_backup_of_a_held_claim_is_refused_in_every_copy_method(record: Record, client: ApiClient) -> None:
    for state in (HoldState.HELD, HoldState.PROVEN):
        record.put(held("notes", state, pin=PIN, image="img-1"))
        told = denied(client, SNAPSHOT, snapshot("notes", "notes"))
        assert "snapshot for a backup of notes" in told
        assert told.rstrip().endswith("lift it with: invoke dr.restore")
        assert denied(
            client,
            CLAIM,
            claim_of(made("volsync-notes-src", "notes", "ReplicationSource"), "PersistentVolumeClaim", "notes"),
        )
        assert denied(client, CLAIM, claim_of(made("volsync-src-notes-cache", "notes", "ReplicationSource")))
        assert "backup of notes" in denied(client, JOB, backup_job("notes", "notes"))
        assert denied(client, JOB, backup_job("notes", "volsync-notes-src")), "the Job of a copy is known by its source"


def test_hand_made_source_of_another_name_is_refused_while_its_namespace_holds_a_claim(
    record: Record, client: ApiClient
) -> None:
    record.put(held("notes"))
    told = denied(client, SNAPSHOT, snapshot("by-hand", "notes"))
    assert "does not know apps/by-hand" in told
    assert told.rstrip().endswith("invoke dr.release apps/by-hand --unproven --reason TEXT")
    assert denied(client, JOB, backup_job("by-hand", "volsync-by-hand-src"))
    assert denied(
        client,
        CLAIM,
        claim_of(made("volsync-by-hand-src", "by-hand", "ReplicationSource"), "PersistentVolumeClaim", "x"),
    )
    assert denied(client, SNAPSHOT, snapshot("by-hand", "x"), "other") == "", "another namespace is not concerned"
    record.put(held("notes", HoldState.RELEASED))
    assert denied(client, SNAPSHOT, snapshot("by-hand", "x")) == ""


def test_while_a_cluster_made_anew_holds_a_claim_nothing_undeclared_is_moved_in_any_namespace(
    record: Record, client: ApiClient
) -> None:
    record.put(held("notes"))
    record.put(held("photos", HoldState.RELEASED))
    strangers = (
        (JOB, backup_job("by-hand", "x")),
        (JOB, restore_job("by-hand", "", claim="x")),
        (SNAPSHOT, snapshot("by-hand", "x")),
        (CLAIM, clone("by-hand", "x")),
        (JOB, kopiur_job("by-hand", "Snapshot", "x")),
        (JOB, kopiur_job("by-hand", "Restore", "x")),
    )
    for kind, obj in strangers:
        assert denied(client, kind, obj), "its own namespace holds a claim"
        assert denied(client, kind, obj, "other") == ""
    record.write({"phase": "rebuilt"})
    for kind, obj in strangers:
        told = denied(client, kind, obj, "other")
        assert "name it in Git and run invoke cluster.bootstrap" in told
        assert "invoke dr.release other/" in told
    assert denied(client, JOB, kopiur_job("by-hand", "Maintenance", "x"), "other") == "", "it moves no claim"
    assert denied(client, JOB, backup_job("photos", "volsync-photos-src")) == "", "declared, and let go"
    assert denied(client, JOB, restore_job("photos-dst", "")) == "", "its destination as well"
    let_in = HeldClaim("other", "by-hand", HoldState.RELEASED, "by-hand", "by-hand")
    record.put(let_in)
    for kind, obj in strangers[:4]:
        assert denied(client, kind, obj, "other") == "", "let in by its name"
    record.put(held("notes", HoldState.RELEASED))
    for kind, obj in strangers:
        assert denied(client, kind, obj, "ticks") == "", "nothing is held any more"


def test_a_job_of_kopiur_may_not_use_a_held_claim_whatever_it_is(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    for owner_kind in ("Snapshot", "Restore", "Maintenance"):
        assert "held claim (notes)" in denied(client, JOB, kopiur_job("nightly", owner_kind, "notes"))


def test_released_and_accepted_empty_are_free(record: Record, client: ApiClient) -> None:
    for state in (HoldState.RELEASED, HoldState.ACCEPTED_EMPTY):
        record.put(held("notes", pin=PIN))
        record.put(held("notes", state, pin=PIN))
        assert denied(client, SNAPSHOT, snapshot("notes", "notes")) == ""
        assert denied(client, JOB, backup_job("notes", "volsync-notes-src")) == ""
        assert denied(client, JOB, restore_job("notes-dst", "", previous="3")) == "", "an old pin must not stay"
        assert denied(client, CLAIM, prime("notes", "any")) == ""


def test_one_claim_held_leaves_another_of_its_namespace_free(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    record.put(held("photos", HoldState.RELEASED))
    assert denied(client, JOB, backup_job("photos", "volsync-photos-src")) == ""
    assert denied(client, SNAPSHOT, snapshot("photos", "photos")) == ""
    assert denied(client, SNAPSHOT, snapshot("photos", "notes")), (
        "a source that changed its claim is judged by the claim"
    )


def test_what_volsync_did_not_make_is_let_through(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    assert denied(client, CLAIM, claim_of({"name": "mine"}, "PersistentVolumeClaim", "notes")) == ""
    assert denied(client, JOB, job({"name": "mine"}, "notes", [])) == ""


def test_database_that_archives_needs_a_recovery_section(record: Record, client: ApiClient) -> None:
    archiving: dict[str, Any] = {"plugins": [{"name": "barman", "isWALArchiver": True}]}
    assert "invoke dr.release apps/db --unproven" in denied(client, CNPG, database("db"))
    assert denied(client, CNPG, database("db", **archiving))
    assert denied(client, CNPG, database("db", **archiving, bootstrap={"recovery": {"source": "x"}})) == ""
    for nothing in ({"recovery": None}, {"recovery": {}}, {"recovery": None, "initdb": {"owner": "x"}}, {}, None):
        assert denied(client, CNPG, database("db", **archiving, bootstrap=nothing)), f"{nothing} recovers nothing"
    assert denied(client, CNPG, database("db", instances=1)) == ""
    switched_off = {"name": "barman", "isWALArchiver": True, "enabled": False}
    assert denied(client, CNPG, database("db", plugins=[switched_off])) == ""
    assert denied(client, CNPG, database("db", plugins=[{**switched_off, "enabled": True}]))
    nowhere = ({"backup": {"barmanObjectStore": None}}, {"backup": {"barmanObjectStore": {}}}, {"backup": None}, {"plugins": None})
    for spec in (*nowhere, {"plugins": [None]}, {"plugins": [{"name": "barman", "isWALArchiver": None}]}):
        assert denied(client, CNPG, database("db", **spec)) == "", f"{spec} archives nowhere"
    assert denied(client, CNPG, database("db", plugins=[{**switched_off, "enabled": None}]))
    record.write({"cnpg.apps.db": "no-base-backup"})
    assert denied(client, CNPG, database("db", **archiving)), "only one word lifts it"
    record.write({"cnpg.apps.db": None})


def test_database_that_was_accepted_may_be_made_and_no_other(record: Record, hold: KubernetesHold, client: ApiClient) -> None:
    hold.accept(AcceptedDatabase(NS, "accepted", "by hand, unproven: it was a trial", 1.5))
    record.write({})
    assert denied(client, CNPG, database("accepted")) == ""
    assert denied(client, CNPG, database("db"))
    assert denied(client, CNPG, database("accepted"), "other"), "one of the same name elsewhere is another database"
    assert hold.record().database(NS, "accepted") == AcceptedDatabase(NS, "accepted", "by hand, unproven: it was a trial", 1.5)


def test_record_can_neither_lose_a_claim_nor_be_deleted_while_one_is_held(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    with pytest.raises(Refused, match="Forbidden") as lost:
        client.merge(CONFIG_MAP, RECORD, {"data": {"state.apps.notes": None}}, NAMESPACE)
    assert "may not lose state.apps.notes" in lost.value.message
    with pytest.raises(Refused) as deleted:
        client.delete(CONFIG_MAP, RECORD, NAMESPACE)
    assert "still holds state.apps.notes" in deleted.value.message
    assert deleted.value.message.rstrip().endswith("invoke dr.release CLAIM --unproven --reason TEXT")
    collection = client.ask(
        "DELETE", CONFIG_MAP.path(NAMESPACE), "delete all", body={"kind": "DeleteOptions", "apiVersion": "v1"}
    )
    assert client.get(CONFIG_MAP, RECORD, NAMESPACE) is not None, collection.body
    with pytest.raises(Refused) as namespace:
        client.delete(NAMESPACES, NAMESPACE)
    assert "claims are held" in namespace.value.message


def test_other_config_maps_of_the_namespace_are_free(record: Record, client: ApiClient) -> None:
    record.put(held("notes"))
    client.create(CONFIG_MAP, {"metadata": {"name": "mine"}, "data": {"state.x": "held"}}, NAMESPACE)
    client.merge(CONFIG_MAP, "mine", {"data": {"state.x": None}}, NAMESPACE)
    assert client.delete(CONFIG_MAP, "mine", NAMESPACE)


def test_without_the_record_all_that_volsync_makes_is_refused_and_nothing_else(
    hold: KubernetesHold, record: Record, client: ApiClient
) -> None:
    for name in ("notes", "photos"):
        record.put(held(name, HoldState.RELEASED))
    client.delete(CONFIG_MAP, RECORD, NAMESPACE)
    deadline = time.monotonic() + 90
    while not all("no params found" in r.detail for r in hold.refusals() if "Job" in r.kind):
        assert time.monotonic() < deadline
    for kind, obj in (
        (JOB, backup_job("photos", "photos")),
        (CLAIM, prime("photos", "x")),
        (SNAPSHOT, snapshot("photos", "photos")),
    ):
        with pytest.raises(Refused) as error:
            client.create(kind, obj, "other", dry_run=True)
        assert error.value.status == 422
        assert "no params found" in error.value.message
    assert denied(client, CLAIM, claim_of({"name": "mine"})) == ""
    assert denied(client, JOB, job({"name": "mine"}, "notes", [])) == ""
    assert not hold.record().present
    assert all(r.refused for r in hold.refusals())
    hold.put(replace(held("photos"), state=HoldState.RELEASED))
    while not all("no params found" not in r.detail for r in hold.refusals()):
        assert time.monotonic() < deadline
    assert denied(client, SNAPSHOT, snapshot("photos", "photos")) == ""
