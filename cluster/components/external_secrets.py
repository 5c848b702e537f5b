"""external-secrets: its stores, and the Secrets that it keeps like them."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.reading import epoch
from adapters.components.results import Ask, Seen
from cluster.components.durations import seconds_of
from cluster.components.judging import fewer_than_declared, of_condition
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight, moment
from engine.text.ages import older, to_come

_GROUP, _VERSIONS = "external-secrets.io", ("v1", "v1beta1")
STORE = Ask(_GROUP, "secretstores", "SecretStore", versions=_VERSIONS)
CLUSTER_STORE = Ask(_GROUP, "clustersecretstores", "ClusterSecretStore", versions=_VERSIONS, namespaced=False)
_REFRESH = ("spec.refreshInterval", "spec.refreshPolicy", "status.refreshTime")
_FIELDS = ("spec.secretStoreRef.kind", "spec.secretStoreRef.name", *_REFRESH)
SECRET = Ask(_GROUP, "externalsecrets", "ExternalSecret", _FIELDS, _VERSIONS)
CLUSTER_SECRET = Ask(_GROUP, "clusterexternalsecrets", "ClusterExternalSecret", versions=_VERSIONS, namespaced=False)
PUSHED = Ask(_GROUP, "pushsecrets", "PushSecret", ("spec.secretStoreRefs[].name",), ("v1", "v1alpha1"))
_ALL = (SECRET, CLUSTER_SECRET, PUSHED, STORE, CLUSTER_STORE)
_LATE, _LATE_AT_LEAST_S = 3.0, 3600.0
_STORES, _SECRETS = "kubectl get secretstores,clustersecretstores -A", "kubectl get externalsecrets,pushsecrets -A"
_MEANS = "the Secret stays as it was, or is not made: what needs it does not start, or runs with an old password"


def _stores(facts: Facts) -> Iterator[Finding]:
    means = "nothing is fetched from it: the vault does not answer, or its token is no longer taken"
    for ask in (STORE, CLUSTER_STORE):
        found = facts.of(ask)
        yield from (of_condition(one, "Ready", means, _STORES) for one in found)
        yield from fewer_than_declared(facts, ask, _STORES)


def _secrets(facts: Facts) -> Iterator[Finding]:
    ill = {(one.kind, one.namespace, one.name) for ask in (STORE, CLUSTER_STORE) for one in facts.of(ask)
           if (said := one.condition("Ready")) is None or said.good is not True}  # fmt: skip
    for ask in (SECRET, CLUSTER_SECRET, PUSHED):
        found = facts.of(ask)
        for one in found:
            place = f"-n {one.namespace} " if one.namespace else ""
            seen = of_condition(one, "Ready", _MEANS, f"kubectl {place}describe {one.kind.lower()} {one.name}")
            if seen.weight is not Weight.FINE and _store_of(one) & ill:
                seen = Finding(seen.part, Weight.NOTED, "waits for its store, which is not ready")
            elif seen.weight is Weight.FINE and (late := _late(one, facts.now)):
                seen = Finding(seen.part, Weight.BLOCKS, late, hint=_MEANS, command=_SECRETS)
            yield seen
        yield from fewer_than_declared(facts, ask, _SECRETS)


def _store_of(one: Seen) -> set[tuple[str, str, str]]:
    if one.kind == "PushSecret":
        names = one.says("spec.secretStoreRefs[].name").split()
        kinds = (("SecretStore", one.namespace), ("ClusterSecretStore", ""))
        return {(kind, space, name) for name in names for kind, space in kinds}
    kind = one.says("spec.secretStoreRef.kind") or "SecretStore"
    return {(kind, one.namespace if kind == "SecretStore" else "", one.says("spec.secretStoreRef.name"))}


def _late(one: Seen, now: float) -> str:
    """What it says of itself is as old as its last refresh: an operator that hangs leaves every one of them Ready."""
    every, last = seconds_of(one.says("spec.refreshInterval")), epoch(one.says("status.refreshTime"))
    if not every or last is None or one.says("spec.refreshPolicy") not in ("", "Periodic"):
        return ""
    if to_come(last, now):
        return f"was refreshed last {moment(last)}, which is later than now: a clock is wrong, and nobody knows"
    limit = max(_LATE * every, _LATE_AT_LEAST_S)
    if not older(last, now, limit):
        return ""
    return f"was refreshed last {moment(last)}, and is to be every {one.says('spec.refreshInterval')}"


EXTERNAL_SECRETS = Component(
    key="external-secrets",
    title="external-secrets",
    images=("external-secrets/external-secrets", "external-secrets"),
    charts=("external-secrets",),
    means="no Secret is made or changed: what is there stays, and a new application waits for its own",
    aspects=(
        Aspect("stores", "its stores answer", (CLUSTER_STORE, STORE), _stores, _STORES),
        Aspect("secrets", "its Secrets are as the stores say", _ALL, _secrets, _SECRETS),
    ),
)
