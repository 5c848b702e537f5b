"""A mover's way to its store, borrowed for the scratch namespace: Secrets and ConfigMaps copied, names in the pod turned to them,
and the fence opened for its pods to that store alone.

What cannot be borrowed (a claim that lies beside the application, a service account) is a PermanentError: nothing is left out
that the real mover has.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.drills.fence import LABELS, POLICY, SCRATCH, STORE, way_to_store
from adapters.drills.openings import Resolver, opening_to
from adapters.drills.results import Twist
from adapters.drills.store import CANARY, beside, store_at
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import CONFIG_MAP, REPLICATION_DESTINATION, SECRET, Kind
from adapters.kubernetes.objects import Obj, table, text
from adapters.volsync.mover import Mover, mover_of
from engine.errors import PermanentError

_NOWHERE = "/blackstart-rehearsal-no-such-repository"
_SHAREABLE = frozenset({"secret", "configMap", "emptyDir", "nfs"})


@dataclass(frozen=True)
class Borrowed:
    """The mover as the scratch namespace has it. `at`: `host:port` of its store as far as it is known; `distant`: it has a network
    to go through, its repository is on no volume of its own."""

    mover: Mover
    at: tuple[str, ...]
    distant: bool


class Lender:
    """Lends movers of the living house to a namespace of the drill's. `resolver` says where a store's name leads."""

    def __init__(self, client: ApiClient, resolver: Resolver, into: str = SCRATCH) -> None:
        self._client, self._resolver, self._into = client, resolver, into

    def borrowed(self, namespace: str, destination: str, twist: Twist = Twist.NONE, secret: str = "") -> Borrowed:
        """The mover of this ReplicationDestination as the namespace can have it, given this Secret in place of its own where one is
        named; what it needs is made there."""
        client, mover = self._client, mover_of(self._client, namespace, destination, secret)
        if any(key == "serviceAccountName" for key, _ in mover.pod):
            raise PermanentError(
                f"the mover of {namespace}/{destination} opens its store as a service account of its namespace",
                hint="a drill gives no pod a token: this repository cannot be rehearsed",
            )
        opening = opening_to(client, store_at(_environment(client, namespace, mover)), namespace, self._resolver)
        if self._into == SCRATCH:
            client.apply(POLICY, way_to_store(opening), SCRATCH, force=True)
        roots = tuple(text(mount, "mountPath") for mount in mover.mounts)
        environment = [{"secretRef": {"name": self._origin(namespace, one, twist, roots)}} for one in mover.environment_from]
        volumes = [self.volume(namespace, one, twist) for one in mover.volumes]
        lent = replace(
            mover, environment_from=tuple(environment), volumes=tuple(volumes), labels=(*mover.labels, (STORE, opening.mark))
        )
        return Borrowed(lent, opening.addresses, opening.rule is not None)

    def volume(self, namespace: str, volume: Obj, twist: Twist = Twist.NONE) -> Obj:
        """The volume of a mover's pod, its Secret or ConfigMap copied."""
        kinds = [key for key in volume if key != "name"]
        if not set(kinds) <= _SHAREABLE:
            raise PermanentError(
                f"a mover of {namespace} mounts {', '.join(kinds)}, which only its own namespace has",
                hint="this repository cannot be rehearsed: a restore into another namespace cannot reach it",
            )
        if secret := table(volume, "secret"):
            return volume | {"secret": secret | {"secretName": self.copy(SECRET, namespace, text(secret, "secretName"), twist)}}
        if config := table(volume, "configMap"):
            return volume | {"configMap": config | {"name": self.copy(CONFIG_MAP, namespace, text(config, "name"))}}
        return volume

    def copy(
        self, kind: Kind, namespace: str, name: str, twist: Twist = Twist.NONE, roots: tuple[str, ...] = ()
    ) -> str:  # fmt: skip
        """Copy it, and answer the copy's name: one of its own for each original and twist. `roots`: as `beside`."""
        client, into = self._client, self._into
        found = client.get(kind, name, namespace)
        if found is None:
            raise PermanentError(f"{kind.name} {namespace}/{name} of the mover is not there")
        data = {str(key): str(value) for key, value in table(found, "data").items()}
        data |= {key: _encoded(value) for key, value in _twisted(twist, data, roots).items()}
        copy = f"mover-{hashlib.sha256(f'{kind.name} {namespace}/{name} {twist.value}'.encode()).hexdigest()[:12]}"
        body: Obj = {"metadata": {"name": copy, "namespace": into, "labels": LABELS}, "data": data}
        try:
            client.create(kind, body, into)
        except AlreadyThere:
            client.merge(kind, copy, {"data": data}, into)
        return copy

    def _origin(self, namespace: str, origin: Obj, twist: Twist, roots: tuple[str, ...]) -> str:
        name = text(origin, "secretRef", "name")
        if not name:
            raise PermanentError(f"a mover of {namespace} takes its environment from something that is no Secret")
        return self.copy(SECRET, namespace, name, twist, roots)


def _twisted(twist: Twist, data: Mapping[str, str], roots: tuple[str, ...]) -> dict[str, str]:
    """What this twist puts over the Secret's values."""
    there = base64.b64decode(data.get("RESTIC_REPOSITORY", "")).decode("utf-8", "replace").strip()
    if twist is Twist.WRONG_PASSWORD:
        return {"RESTIC_PASSWORD": "not the password"}
    if twist is Twist.EMPTY_REPOSITORY:
        return {"RESTIC_REPOSITORY": there.rstrip("/") + _NOWHERE}
    # Claims that take turns may have passwords of their own, and the canary has one repository beside them all.
    return {"RESTIC_REPOSITORY": beside(there, roots), "RESTIC_PASSWORD": CANARY} if twist is Twist.CANARY else {}


def _environment(client: ApiClient, namespace: str, mover: Mover) -> dict[str, str]:
    """What the mover's Secrets say: read here alone, and never told."""
    found: dict[str, str] = {}
    for origin in mover.environment_from:
        data = table(client.get(SECRET, text(origin, "secretRef", "name"), namespace) or {}, "data")
        found |= {str(key): base64.b64decode(str(value)).decode("utf-8", "replace") for key, value in data.items()}
    return found


def writing(client: ApiClient, namespace: str, destination: str, mover: Mover) -> tuple[Obj, Obj]:
    """The security contexts (pod's, container's) with which that mover restores: it must write, and own what it may own."""
    if mover.privileged:
        added = ["CHOWN", "DAC_OVERRIDE", "FOWNER"]
        return {}, {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": added}}
    found = client.get(REPLICATION_DESTINATION, destination, namespace) or {}
    return table(found, "spec", "restic", "moverSecurityContext"), mover.identities[0][1]


def _encoded(text_: str) -> str:
    return base64.b64encode(text_.encode()).decode()
