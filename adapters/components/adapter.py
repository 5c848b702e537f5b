"""The Components port on a real Kubernetes API: each kind is listed once, over all namespaces."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.age.adapter import Age
from adapters.components.inventory import NO_READINESS, Entry, entries
from adapters.components.kstatus import status_of
from adapters.components.reading import program_of, seen_of, told
from adapters.components.results import AgeKey, Applied, AppliedLook, Ask, Program, Seen
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import DAEMON_SET, DEPLOYMENT, KUSTOMIZATION, SECRET, STATEFUL_SET, Kind
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, rows, table, text
from engine.secrets import Secret
from engine.workers import Threads, each

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_AT_ONCE = 8


class KubernetesComponents:
    """See port.ComponentsView. `age` derives the public half of a key."""

    def __init__(self, clients: Clients, age: Age) -> None:
        self._clients, self._age = clients, age

    def programs(self) -> tuple[Program, ...]:
        """Raises TransientError when the API gives no answer."""
        client = self._clients.main()
        found = [program_of(kind.name, obj) for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET) for obj in client.list_objects(kind)]
        return tuple(sorted(found, key=lambda one: (one.namespace, one.name, one.kind)))

    def objects(self, ask: Ask) -> tuple[Seen, ...] | None:
        """See the port."""
        for version in ask.versions:
            kind = Kind(ask.group, version, ask.plural, ask.kind, namespaced=ask.namespaced)
            found = self._clients.main().list_if_served(kind)
            if found is not None:
                typed = ({"apiVersion": kind.api_version, "kind": kind.name} | obj for obj in found)
                return tuple(sorted((seen_of(ask, obj) for obj in typed), key=lambda one: one.key))
        return None

    def applied(self) -> AppliedLook:
        """Every object of every inventory whose kind can be ready or not."""
        client = self._clients.main()
        owners = client.list_if_served(KUSTOMIZATION) or []
        found = [entry for owner in owners for entry in entries(owner)]
        silent = tuple(
            f"{namespace_of(one)}/{name_of(one)}" for one in owners
            if text(one, "status", "lastAppliedRevision") and dig(one, "status", "inventory") is None
        )  # fmt: skip
        by_kind: defaultdict[tuple[str, str, str], list[Entry]] = defaultdict(list)
        for entry in found:
            if (entry.group, entry.kind) not in NO_READINESS:
                by_kind[entry.group, entry.version, entry.kind].append(entry)
        served = _served(client) if by_kind else {}
        unserved = tuple(f"{kind} of {group or 'v1'}" for group, version, kind in by_kind if (group, version, kind) not in served)
        known = [key for key in by_kind if key in served]
        listed = each(Threads(), lambda key: _applied(client, served[key], by_kind[key]), known, at_once=_AT_ONCE)
        objects = tuple(one for some in listed for one in some)
        return AppliedLook(objects, len(found) - sum(map(len, by_kind.values())), unserved, silent)

    def age_keys(self) -> tuple[AgeKey, ...]:
        """See the port. The same key in many namespaces is looked at once."""
        client = self._clients.main()
        needed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for owner in client.list_if_served(KUSTOMIZATION) or ():
            if name := text(owner, "spec", "decryption", "secretRef", "name"):
                needed[namespace_of(owner), name].append(f"{namespace_of(owner)}/{name_of(owner)}")
        derived: dict[str, frozenset[str]] = {}
        return tuple(self._key(client, place, owners, derived) for place, owners in sorted(needed.items()))

    def _key(
        self, client: ApiClient, place: tuple[str, str], owners: list[str], derived: dict[str, frozenset[str]]
    ) -> AgeKey:  # fmt: skip
        namespace, name = place
        found = client.get(SECRET, name, namespace)
        made = AgeKey(namespace, name, tuple(sorted(owners)), there=found is not None)
        recipients: set[str] = set()
        for key, value in table(found or {}, "data").items():
            if key.endswith(".agekey"):  # the only names that Flux reads
                if value not in derived:
                    derived[value] = self._age.public(Secret(_decoded(value)))
                recipients |= derived[value]
        return replace(made, recipients=frozenset(recipients))


def _applied(client: ApiClient, kind: Kind, wanted: list[Entry]) -> list[Applied]:
    there = {(namespace_of(obj), name_of(obj)): obj for obj in client.list_if_served(kind) or ()}
    return [_one(entry, kind, there.get((entry.namespace, entry.name))) for entry in wanted]


def _one(entry: Entry, kind: Kind, obj: Obj | None) -> Applied:
    made = Applied(entry.kustomization, entry.group, entry.kind, entry.namespace, entry.name, there=obj is not None)
    if obj is None:
        return made
    status, why = status_of({"apiVersion": kind.api_version, "kind": kind.name} | obj)
    return replace(made, status=status, why=told(why))


def _served(client: ApiClient) -> Mapping[tuple[str, str, str], Kind]:
    """Every kind that the API serves: (group, version, kind) to how it is asked for."""
    return {
        (kind.group, kind.version, kind.name): kind
        for path in ("/api", "/apis")
        for kind in _kinds(client.demand("GET", path, "list what the API serves", accept=_DISCOVERY))
    }


def _kinds(listed: Obj) -> Iterator[Kind]:
    for group in rows(listed, "items"):
        for version in rows(group, "versions"):
            for resource in rows(version, "resources"):
                name = text(resource, "responseKind", "kind")
                namespaced = text(resource, "scope") == "Namespaced"
                yield Kind(name_of(group), text(version, "version"), text(resource, "resource"), name, namespaced=namespaced)


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ""
