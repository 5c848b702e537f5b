"""What the objects of each operator come to: every rule with its near misses."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.components.reading import program_of
from adapters.flux.results import KustomizationState
from cluster.components.actions_runners import ACTIONS_RUNNERS
from cluster.components.cert_manager import CERT_MANAGER
from cluster.components.cloudnative_pg import CLOUDNATIVE_PG
from cluster.components.durations import seconds_of
from cluster.components.external_secrets import EXTERNAL_SECRETS
from cluster.components.flux import FLUX_OPERATOR
from cluster.components.judging import of_program
from cluster.components.prometheus import KUBE_PROMETHEUS_STACK
from cluster.components.shape import Component, Judge
from cluster.components.volsync import VOLSYNC, reach_of
from cluster.storage.findings import Weight
from lab.world.cluster.components import Object, conditions, custom, workload
from tests.cluster.components.facts import DAY, NOW, Told, a_kustomization, ago, declares

FINE, NOTED, UNKNOWN, BLOCKS = Weight.FINE, Weight.NOTED, Weight.UNKNOWN, Weight.BLOCKS
CERT, ACME, ESO = "cert-manager.io/v1", "acme.cert-manager.io/v1", "external-secrets.io/v1"
NOT_READY: Object = {"conditions": conditions(Ready=(False, "Failed", "why"))}


def judge(component: Component, name: str) -> Judge:
    return next(aspect.judge for aspect in component.aspects if aspect.name == name)


def made(api: str, kind: str, key: str, spec: Object | None = None, status: Object | None = None, age: float = 30 * DAY) -> Object:
    return custom(api, kind, key, spec or {}, status, now=NOW, age=age)


def weights(told: Told, component: Component, name: str) -> dict[str, Weight]:
    return {part: weight for part, (weight, _) in told.judged(judge(component, name)).items()}


def certificate(begins: float, ends: float, **status: Any) -> Object:
    issuer = {"issuerRef": {"name": "acme", "kind": "ClusterIssuer"}}
    return made(CERT, "Certificate", "net/tls", issuer, {"notBefore": ago(begins), "notAfter": ago(-ends), **status})


@pytest.mark.parametrize(("item", "weight"), [
    (certificate(30 * DAY, 60 * DAY), FINE),
    (certificate(83 * DAY, 7.1 * DAY), FINE),
    (certificate(84 * DAY, 6 * DAY), BLOCKS),
    (certificate(90 * DAY, -1.0), BLOCKS),
    (certificate(0.5 * DAY, 0.5 * DAY), FINE),          # one of a day is not about to end at noon
    (certificate(0.95 * DAY, 0.05 * DAY), BLOCKS),
    (certificate(70 * DAY, 20 * DAY, renewalTime=ago(5 * DAY)), NOTED),
    (certificate(60 * DAY, 30 * DAY, renewalTime=ago(600)), FINE),
    (certificate(30 * DAY, 60 * DAY, **NOT_READY), BLOCKS),
    (certificate(30 * DAY, 60 * DAY, conditions=[]), UNKNOWN),
    (made(CERT, "Certificate", "net/tls"), UNKNOWN),     # Ready, and no end
])  # fmt: skip
def test_a_certificate_is_judged_by_its_own_length(item: Object, weight: Weight) -> None:
    assert weights(Told([item]), CERT_MANAGER, "certificates") == {"Certificate net/tls": weight}


def test_a_certificate_that_waits_for_its_issuer_is_that_issuers_matter_until_it_ends() -> None:
    issuer = made(CERT, "ClusterIssuer", "acme", {}, NOT_READY)
    waits = certificate(30 * DAY, 60 * DAY, **NOT_READY)
    assert weights(Told([issuer, waits]), CERT_MANAGER, "certificates") == {"Certificate net/tls": NOTED}
    ended = certificate(91 * DAY, -DAY, **NOT_READY)
    assert weights(Told([issuer, ended]), CERT_MANAGER, "certificates") == {"Certificate net/tls": BLOCKS}
    namesake = made(CERT, "Issuer", "net/acme", {}, NOT_READY)
    assert weights(Told([namesake, waits]), CERT_MANAGER, "certificates") == {"Certificate net/tls": BLOCKS}


def order(name: str, state: str, age: float, reason: str = "") -> Object:
    return made(ACME, "Order", f"net/{name}", {"dnsNames": ["b", "a"]}, {"conditions": [], "state": state, "reason": reason}, age)


def test_orders_that_are_refused_for_their_number_or_hang_are_told() -> None:
    limited = "429 urn:ietf:params:acme:error:rateLimited: too many certificates (5) already issued"
    told = Told([
        order("valid", "valid", DAY), order("limited", "errored", DAY, limited), order("old", "errored", 8 * DAY, limited),
        order("failed", "invalid", DAY, "wrong key"), order("hangs", "pending", 2 * 3600), order("young", "pending", 600),
        order("ancient", "pending", 8 * DAY),
    ])  # fmt: skip
    assert weights(told, CERT_MANAGER, "orders") == {
        "Order net/limited": BLOCKS, "Order net/hangs": BLOCKS, "Order net/ancient": BLOCKS, "Order net/failed": NOTED,
        "a b": NOTED,
    }  # fmt: skip
    timeless = order("timeless", "pending", DAY)
    del timeless["metadata"]["creationTimestamp"]
    assert weights(Told([timeless]), CERT_MANAGER, "orders") == {"Order net/timeless": UNKNOWN}
    assert weights(Told([order(str(n), "valid", DAY) for n in range(3)]), CERT_MANAGER, "orders") == {}


def external(**changes: Any) -> Object:
    spec = {"secretStoreRef": {"name": "op", "kind": "ClusterSecretStore"}, "refreshInterval": "1h"} | changes.pop("spec", {})
    return made(ESO, "ExternalSecret", "net/x", spec, {"refreshTime": ago(changes.pop("age", 600))} | changes)


@pytest.mark.parametrize(("item", "weight"), [
    (external(), FINE), (external(age=2.9 * 3600), FINE), (external(age=3.1 * 3600), BLOCKS),
    (external(age=DAY, spec={"refreshInterval": "0"}), FINE), (external(age=DAY, spec={"refreshPolicy": "CreatedOnce"}), FINE),
    (external(age=1800, spec={"refreshInterval": "1m"}), FINE), (external(**NOT_READY), BLOCKS), (external(conditions=[]), UNKNOWN),
])  # fmt: skip
def test_an_external_secret_is_as_old_as_its_refresh(item: Object, weight: Weight) -> None:
    found = weights(Told([item]), EXTERNAL_SECRETS, "secrets")
    assert found["ExternalSecret net/x"] is weight


def test_what_waits_for_a_store_is_the_stores_matter() -> None:
    store = made(ESO, "ClusterSecretStore", "op", {}, NOT_READY)
    push = made(f"{ESO}alpha1", "PushSecret", "net/y", {"secretStoreRefs": [{"name": "op"}]}, NOT_READY)
    told = Told([store, external(**NOT_READY), push])
    assert weights(told, EXTERNAL_SECRETS, "secrets") | {} == {
        "ExternalSecret net/x": NOTED, "PushSecret net/y": NOTED, "ClusterExternalSecret": FINE,
    }  # fmt: skip
    assert weights(told, EXTERNAL_SECRETS, "stores") == {"ClusterSecretStore op": BLOCKS, "SecretStore": FINE}
    elsewhere = made(ESO, "SecretStore", "other/op", {}, NOT_READY)
    assert weights(Told([elsewhere, external(**NOT_READY)]), EXTERNAL_SECRETS, "secrets")["ExternalSecret net/x"] is BLOCKS


def test_fewer_than_git_declares_is_a_finding_and_none_of_none_is_none() -> None:
    told = Told([], declared=(declares(ESO, "ExternalSecret", "net/x"), declares(ESO, "ExternalSecret", "net/y")))
    assert told.judged(judge(EXTERNAL_SECRETS, "secrets"))["ExternalSecret"] == (BLOCKS, "Git declares 2, and none is there")
    more = Told([external()], declared=(declares(f"{ESO}beta1", "ExternalSecret", "net/x"),))
    assert "ExternalSecret" not in weights(more, EXTERNAL_SECRETS, "secrets")


LATER = (declares(ESO, "ExternalSecret", "net/x"), declares(ESO, "ExternalSecret", "net/y", "apps/later"))


@pytest.mark.parametrize(
    ("kustomization", "held"),
    [(a_kustomization("later", suspended=True), ()), (a_kustomization("later", depends_on=("apps/notes",)), ("notes",))],
    ids=["suspended", "waits for a held claim"],
)
def test_what_is_not_applied_yet_is_not_missed(kustomization: KustomizationState, held: tuple[str, ...]) -> None:
    told = Told([external()], held, LATER, (kustomization,))
    assert "ExternalSecret" not in weights(told, EXTERNAL_SECRETS, "secrets")
    # It was applied before, and another is lost: that is missed.
    before = Told([made(ESO, "ExternalSecret", "net/y", {}, {})], held, LATER, (kustomization,))
    assert before.judged(judge(EXTERNAL_SECRETS, "secrets"))["ExternalSecret"] == (BLOCKS, "Git declares 2, and 1 is there")


def test_none_that_is_to_be_applied_is_told_otherwise_than_none_declared() -> None:
    asleep = (declares(ESO, "ExternalSecret", "net/y", "apps/later"),)
    for declared, word in ((asleep, "to be applied yet"), ((), "declared")):
        told = Told([], (), declared, (a_kustomization("later", suspended=True),)).judged(judge(EXTERNAL_SECRETS, "secrets"))
        assert told["ExternalSecret"] == (FINE, f"none is {word} and none is there")


def test_what_the_held_application_itself_brings_is_missed() -> None:
    told = Told([], ("notes",), (declares(ESO, "ExternalSecret", "net/x", "apps/notes"),), (a_kustomization("notes"),))
    assert weights(told, EXTERNAL_SECRETS, "secrets")["ExternalSecret"] is BLOCKS


def source(last: float | None, age: float = 30 * DAY, **spec: Any) -> Object:
    status: Object = {} if last is None else {"lastSyncTime": ago(last)}
    result = spec.pop("result", "")
    status |= {"latestMoverStatus": {"result": result}} if result else {}
    full = {"sourcePVC": "x", "trigger": {"schedule": "0 */6 * * *"}, "restic": {"repository": "x", "retain": {"daily": 7}}} | spec
    return made("volsync.backube/v1alpha1", "ReplicationSource", "apps/x", full, status | {"conditions": []}, age)


@pytest.mark.parametrize(("item", "weight"), [
    (source(6 * 3600), FINE), (source(12.9 * 3600), FINE), (source(13.1 * 3600), BLOCKS),
    (source(None), BLOCKS), (source(None, age=3600), NOTED),
    (source(3600, result="Failed"), BLOCKS), (source(3600, result="Successful"), FINE),
    (source(3600, paused=True), NOTED), (source(5 * DAY, paused=True), BLOCKS),
    (source(90 * DAY, trigger={"manual": "now"}), NOTED), (source(3600, trigger={"schedule": "0 0 31 2 *"}), BLOCKS),
    (source(3600, trigger={"manual": "now"}, result="Failed"), BLOCKS),
    (source(3600, trigger={}), NOTED), (source(2 * DAY, trigger={}), BLOCKS), (source(None, trigger={}), BLOCKS),
    (source(None, age=3600, trigger={}), NOTED), (source(3600, trigger={}, result="Failed"), BLOCKS),
    (source(3600, trigger={"schedule": "0 */6 * * *", "manual": "now"}), NOTED),
    (source(13.1 * 3600, trigger={"schedule": "0 */6 * * *", "manual": "now"}), BLOCKS),
])  # fmt: skip
def test_a_backup_is_judged_by_its_own_schedule(item: Object, weight: Weight) -> None:
    assert weights(Told([item]), VOLSYNC, "backups") == {"ReplicationSource apps/x": weight}


@pytest.mark.parametrize(("trigger", "told"), [
    ({"manual": "now"}, "it has no schedule: a backup is written when somebody asks"),
    ({}, "it has no trigger: VolSync writes one backup after the other"),
    ({"schedule": "0 */6 * * *", "manual": "now"}, "its schedule is off while trigger.manual stands there"),
])  # fmt: skip
def test_what_begins_the_next_backup_is_told_as_it_is(trigger: Object, told: str) -> None:
    _, words = Told([source(3600, trigger=trigger)]).judged(judge(VOLSYNC, "backups"))["ReplicationSource apps/x"]
    assert told in words


def test_of_a_held_claim_no_backup_is_missed() -> None:
    assert weights(Told([source(90 * DAY)], held=("x",)), VOLSYNC, "backups") == {"ReplicationSource apps/x": NOTED}
    assert weights(Told([source(90 * DAY)], held=("y",)), VOLSYNC, "backups") == {"ReplicationSource apps/x": BLOCKS}


@pytest.mark.parametrize(("retain", "weight"), [
    ({"daily": 7}, FINE), ({"last": 1}, BLOCKS), ({"hourly": 24}, NOTED), ({"last": 3}, BLOCKS), ({"last": 4}, NOTED),
    ({"weekly": 4}, FINE), ({"within": "30d"}, NOTED), ({"within": "1d", "weekly": 2}, FINE), ({}, BLOCKS), (None, BLOCKS),
])  # fmt: skip
def test_a_retention_is_judged_by_how_far_it_reaches_back(retain: Object | None, weight: Weight) -> None:
    item = source(600, restic={"repository": "x", "retain": retain})
    assert weights(Told([item]), VOLSYNC, "retention") == {"ReplicationSource apps/x": weight}


def test_engines_without_a_history_have_no_retention() -> None:
    item = source(600, restic=None, rclone={"rcloneConfig": "x"})
    assert weights(Told([item]), VOLSYNC, "retention") == {"ReplicationSource": FINE}
    kopia = source(600, restic=None, kopia={"repository": "x", "retain": {"last": 1}})
    assert weights(Told([kopia]), VOLSYNC, "retention") == {"ReplicationSource apps/x": BLOCKS}


def test_kopia_without_a_retain_goes_by_its_own_policy() -> None:
    kopia = source(600, restic=None, kopia={"repository": "x"})
    assert weights(Told([kopia]), VOLSYNC, "retention") == {"ReplicationSource apps/x": NOTED}


def test_hours_are_counted_by_the_schedule_where_that_is_slower() -> None:
    assert reach_of({"hourly": "24"}, DAY) == 24 * DAY
    assert reach_of({"hourly": "24"}, 600.0) == DAY
    assert reach_of({"within": "5d"}, DAY) is None


PG = "postgresql.cnpg.io/v1"
ARCHIVES = conditions(Ready=(True, ""), ContinuousArchiving=(True, ""))


@pytest.mark.parametrize(("status", "weights_"), [
    ({"readyInstances": 3, "conditions": ARCHIVES}, {"Cluster db/pg": FINE}),
    ({"readyInstances": 2, "conditions": ARCHIVES}, {"Cluster db/pg": BLOCKS}),
    ({"readyInstances": 3, "conditions": conditions(Ready=(True, ""))}, {"Cluster db/pg": FINE}),
    ({"readyInstances": 3, "conditions": conditions(Ready=(True, ""), ContinuousArchiving=(None, ""))}, {"Cluster db/pg": UNKNOWN}),
    ({"readyInstances": 0, "phase": "Setting up", "conditions": conditions(Ready=(False, ""))}, {"Cluster db/pg": BLOCKS}),
    ({"conditions": []}, {"Cluster db/pg": UNKNOWN}),
])  # fmt: skip
def test_a_database_is_whole_and_archives(status: Object, weights_: dict[str, Weight]) -> None:
    assert weights(Told([made(PG, "Cluster", "db/pg", {"instances": 3}, status)]), CLOUDNATIVE_PG, "clusters") == weights_


@pytest.mark.parametrize("spec", [
    {"backup": {"barmanObjectStore": {"destinationPath": "s3://pg/"}}},
    {"plugins": [{"name": "barman-cloud", "isWALArchiver": True}]},
])  # fmt: skip
@pytest.mark.parametrize(("said", "told"), [
    ({}, "has not said whether it archives"),
    ({"ContinuousArchiving": (None, "")}, "whether it archives is unknown: no reason given"),
])  # fmt: skip
def test_a_database_that_is_to_archive_and_does_not_say_so_is_unknown(spec: Object, said: dict[str, Any], told: str) -> None:
    status = {"readyInstances": 1, "conditions": conditions(Ready=(True, ""), **said)}
    found = list(judge(CLOUDNATIVE_PG, "clusters")(Told([made(PG, "Cluster", "db/pg", spec, status)]).facts))
    assert [(one.weight, one.detail) for one in found if one.weight is not FINE] == [(UNKNOWN, told)]


@pytest.mark.parametrize("spec", [{}, {"backup": {"retentionPolicy": "30d"}}, {"plugins": [{"name": "x", "isWALArchiver": False}]}])
def test_a_database_that_is_to_archive_nothing_is_not_asked_for_it(spec: Object) -> None:
    status = {"readyInstances": 1, "conditions": conditions(Ready=(True, ""))}
    assert weights(Told([made(PG, "Cluster", "db/pg", spec, status)]), CLOUDNATIVE_PG, "clusters") == {"Cluster db/pg": FINE}


@pytest.mark.parametrize(("age", "phase", "spec", "weight"), [
    (DAY, "completed", {}, FINE), (3 * DAY, "completed", {}, BLOCKS), (DAY, "failed", {}, BLOCKS),
    (9 * DAY, "completed", {"suspend": True}, NOTED), (DAY, "completed", {"schedule": "0 0 0 * *"}, FINE),
    (DAY, "completed", {"schedule": "never"}, BLOCKS), (DAY, "completed", {"cluster": {"name": "other"}}, BLOCKS),
])  # fmt: skip
def test_a_scheduled_base_backup_was_made(age: float, phase: str, spec: Object, weight: Weight) -> None:
    full = {"cluster": {"name": "pg"}, "schedule": "0 0 0 * * *"} | spec
    done: Object = {"conditions": [], "phase": phase, "stoppedAt": ago(age)}
    told = Told([made(PG, "ScheduledBackup", "db/pg", full), made(PG, "Backup", "db/pg-1", {"cluster": {"name": "pg"}}, done)])
    assert weights(told, CLOUDNATIVE_PG, "backups") == {"ScheduledBackup db/pg": weight}


def test_a_set_of_runners_needs_the_listener_of_its_own_name_and_namespace() -> None:
    api, of = "actions.github.com/v1alpha1", {"autoscalingRunnerSetName": "set", "autoscalingRunnerSetNamespace": "ci"}
    runner_set = made(api, "AutoscalingRunnerSet", "ci/set")
    there = Told([runner_set, made(api, "AutoscalingListener", "arc/set-1", of)])
    assert weights(there, ACTIONS_RUNNERS, "runners") == {"AutoscalingRunnerSet ci/set": FINE}
    wrong = made(api, "AutoscalingListener", "arc/set-1", of | {"autoscalingRunnerSetNamespace": "other"})
    assert weights(Told([runner_set, wrong]), ACTIONS_RUNNERS, "runners") == {"AutoscalingRunnerSet ci/set": BLOCKS}


def test_what_a_prometheus_calls_degraded_is_not_well() -> None:
    degraded: Object = {"conditions": [{"type": "Available", "status": "Degraded"}]}
    item = made("monitoring.coreos.com/v1", "Prometheus", "obs/main", {}, degraded)
    assert weights(Told([item]), KUBE_PROMETHEUS_STACK, "prometheus") == {"Prometheus obs/main": UNKNOWN}


def test_what_is_said_of_an_older_generation_is_not_taken_for_this_one() -> None:
    item = made(CERT, "ClusterIssuer", "acme", {}, {"observedGeneration": 0})
    assert weights(Told([item]), CERT_MANAGER, "issuers")["ClusterIssuer acme"] is BLOCKS


@pytest.mark.parametrize(("away", "weight"), [(0, BLOCKS), (1, UNKNOWN)])
def test_pods_that_are_lacking_are_no_pods_whatever_kstatus_calls_their_set(away: int, weight: Weight) -> None:
    """A StatefulSet that a person rolls (OnDelete) is current to kstatus with none of its pods there."""
    rolled = workload("StatefulSet", "apps", "db", "ghcr.io/x/db")
    rolled["spec"] |= {"replicas": 2, "updateStrategy": {"type": "OnDelete"}}
    whole = rolled | {"status": rolled["status"] | {"readyReplicas": 2}}
    assert of_program(program_of("StatefulSet", whole), "", away).weight is FINE
    found = of_program(program_of("StatefulSet", rolled), "", away)
    assert (found.weight, found.detail.partition(";")[0]) == (weight, "1 of 2 pods is ready")


def test_durations_are_read_as_go_writes_them() -> None:
    told = {"1h30m": 5400.0, "0": 0.0, "500ms": 0.5, "12h0m0s": 43200.0, "": None, "1d": None, "h": None, "1h x": None}
    assert {text: seconds_of(text) for text in told} == told


def instance(since: str | None, status: str = "Unknown", reason: str = "Progressing") -> Object:
    ready = {"type": "Ready", "status": status, "reason": reason, "message": "Reconciliation in progress"}
    ready |= {"lastTransitionTime": since} if since is not None else {}
    return made("fluxcd.controlplane.io/v1", "FluxInstance", "flux-system/flux", status={"conditions": [ready]})


@pytest.mark.parametrize(("item", "weight"), [
    (instance(ago(20)), NOTED), (instance(ago(290)), NOTED), (instance(ago(310)), UNKNOWN), (instance(ago(-600)), UNKNOWN),
    (instance(None), UNKNOWN), (instance("soon"), UNKNOWN), (instance(ago(20), reason="Other"), UNKNOWN),
    (instance(ago(20), "False", "ReconciliationFailed"), BLOCKS), (instance(ago(9000), "True", "ReconciliationSucceeded"), FINE),
])  # fmt: skip
def test_an_instance_that_is_being_reconciled_is_no_alarm_for_as_long_as_that_may_take(item: Object, weight: Weight) -> None:
    """flux-operator says so at the beginning of each: every few minutes a look may meet it."""
    assert weights(Told([item]), FLUX_OPERATOR, "instance")["FluxInstance flux-system/flux"] is weight
