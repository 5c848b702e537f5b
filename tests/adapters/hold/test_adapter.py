"""Installing and looking at the hold on a pair of real API servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.adapter import KubernetesHold
from adapters.hold.policies import BINDINGS, POLICIES
from adapters.hold.record import NAMESPACE, RECORD
from adapters.hold.results import HeldClaim, HoldState
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import ADMISSION_BINDING, ADMISSION_POLICY, CONFIG_MAP
from engine.errors import TransientError
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.builders import a_node
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    yield made
    made.close()


def wait_until_refused(hold: KubernetesHold) -> None:
    deadline = time.monotonic() + 90
    while not all(r.refused for r in hold.refusals()):
        assert time.monotonic() < deadline, hold.refusals()
        time.sleep(0.02)


def test_hold_is_made_seen_broken_and_mended(clients: Clients) -> None:
    hold = KubernetesHold(clients, SystemClock())
    client = clients.main()

    assert not hold.record().present
    assert len(hold.policies_missing()) == len(POLICIES) + len(BINDINGS)
    before = hold.refusals()
    assert len(before) == 2 * 7
    assert not any(r.refused for r in before if "VolumeSnapshot" not in r.kind), "no namespace is no refusal"

    hold.install(rebuilt=False)
    assert hold.policies_missing() == ()
    assert hold.record().present
    wait_until_refused(hold)
    told = {r.kind: r.detail for r in hold.refusals()}
    assert "not pinned yet" in told["Job of a destination"]
    assert "blackstart.canary is held" in told["PersistentVolumeClaim of the populator"]
    assert "no VolumeSnapshots are served yet" in told["VolumeSnapshot of a source"]

    policy = client.get(ADMISSION_POLICY, "blackstart-hold-jobs")
    assert policy is not None
    policy["spec"]["matchConditions"] = [{"name": "never", "expression": "false"}]
    client.replace(ADMISSION_POLICY, policy)
    client.delete(ADMISSION_BINDING, "blackstart-hold-claims")
    assert hold.policies_missing() == (
        "ValidatingAdmissionPolicy blackstart-hold-jobs",
        "ValidatingAdmissionPolicyBinding blackstart-hold-claims",
    )
    deadline = time.monotonic() + 90
    while all(r.refused for r in hold.refusals()):
        assert time.monotonic() < deadline, "the broken hold was not noticed"
        time.sleep(0.02)

    hold.install(rebuilt=False)
    assert hold.policies_missing() == ()
    wait_until_refused(hold)
    versions = {p["metadata"]["resourceVersion"] for p in client.list_objects(ADMISSION_POLICY)}
    hold.install(rebuilt=False)
    assert {p["metadata"]["resourceVersion"] for p in client.list_objects(ADMISSION_POLICY)} == versions


def test_a_bootstrap_s_hold_is_strict_until_nothing_is_held_and_no_later_one_is(clients: Clients) -> None:
    hold, client = KubernetesHold(clients, SystemClock()), clients.main()
    for binding, policy in zip(BINDINGS, POLICIES, strict=True):
        client.delete(ADMISSION_BINDING, binding["metadata"]["name"])
        client.delete(ADMISSION_POLICY, policy["metadata"]["name"])
    claim = HeldClaim("apps", "strict", HoldState.HELD, "strict-dst", "strict", since=1.0)
    hold.put(claim)
    hold.install(rebuilt=True)
    assert hold.record().rebuilt
    wait_until_refused(hold)
    assert len(hold.refusals()) == 2 * 10
    hold.put(replace(claim, state=HoldState.RELEASED))
    assert not hold.record().rebuilt
    assert "phase" not in (client.get(CONFIG_MAP, RECORD, NAMESPACE) or {})["data"]
    hold.put(claim)
    hold.install(rebuilt=True)
    assert not hold.record().rebuilt, "its policies were there already"
    hold.put(replace(claim, state=HoldState.RELEASED))


def test_the_servers_type_check_finds_nothing_wrong(clients: Clients) -> None:
    # The controller that writes the warnings is not running; what the server checks itself on writing is this.
    for policy in clients.main().list_objects(ADMISSION_POLICY):
        assert policy["spec"]["failurePolicy"] == "Fail"
        assert all(v["reason"] == "Forbidden" for v in policy["spec"]["validations"])
        assert all("UPDATE" not in rule["operations"] or policy["metadata"]["name"].endswith("-record")
                   for rule in policy["spec"]["matchConstraints"]["resourceRules"])  # fmt: skip


def test_claims_are_put_side_by_side_and_none_is_lost(clients: Clients) -> None:
    hold = KubernetesHold(clients, SystemClock())
    names = [f"claim-{n}" for n in range(8)]

    def put(name: str) -> None:
        for _ in range(20):
            try:
                return hold.put(HeldClaim("apps", name, HoldState.HELD, f"{name}-dst", name, since=1.0))
            except TransientError:
                continue
        raise AssertionError(name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, names))
    assert [c.claim for c in hold.record().claims if c.claim in names] == names
    before = clients.main().get(CONFIG_MAP, RECORD, NAMESPACE)
    put("claim-3")
    assert clients.main().get(CONFIG_MAP, RECORD, NAMESPACE) == before, "what stands already is not written again"
    hold.put(HeldClaim("apps", "claim-3", HoldState.RELEASED, "claim-3-dst", "claim-3", since=1.0))
    found = hold.record().claim("apps", "claim-3")
    assert found is not None
    assert found.state is HoldState.RELEASED
    data = (clients.main().get(CONFIG_MAP, RECORD, NAMESPACE) or {})["data"]
    assert "rd.apps.claim-3-dst" not in data
    assert "rd.apps.claim-4-dst" in data


def test_a_server_that_cannot_be_asked_is_not_a_refusal(real_api: ApiServers, tmp_path: Path) -> None:
    silent = real_api.addresses[0][:-2] + "99"
    clients = Clients(replace(house_on(real_api, tmp_path), nodes=(a_node(1, address=silent),)))
    hold = KubernetesHold(clients, SystemClock())
    hold.install(rebuilt=False)
    with pytest.raises(TransientError, match=silent):
        hold.refusals()
    clients.close()
