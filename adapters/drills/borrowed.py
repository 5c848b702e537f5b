"""A mover's way to its store, borrowed for the scratch namespace: Secrets and ConfigMaps copied, names in the pod turned to them.

What cannot be borrowed (a claim that lies beside the application, a service account) is a PermanentError: nothing is left out
that the real mover has.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

from adapters.drills.fence import LABELS, SCRATCH
from adapters.drills.results import Twist
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import CONFIG_MAP, REPLICATION_DESTINATION, SECRET, Kind
from adapters.kubernetes.objects import Obj, table, text
from adapters.volsync.mover import Mover, mover_of
from engine.errors import PermanentError

_NOWHERE = "/blackstart-rehearsal-no-such-repository"
_SHAREABLE = frozenset({"secret", "configMap", "emptyDir", "nfs"})


def borrowed(client: ApiClient, namespace: str, destination: str, twist: Twist = Twist.NONE) -> Mover:
    """The mover of this ReplicationDestination as the scratch namespace can have it; what it needs is copied there."""
    mover = mover_of(client, namespace, destination)
    if any(key == "serviceAccountName" for key, _ in mover.pod):
        raise PermanentError(
            f"the mover of {namespace}/{destination} opens its store as a service account of its namespace",
            hint="a drill gives no pod a token: this repository cannot be rehearsed",
        )
    environment = [_copied_origin(client, namespace, one, twist) for one in mover.environment_from]
    volumes = [_copied_volume(client, namespace, one) for one in mover.volumes]
    return replace(mover, environment_from=tuple(environment), volumes=tuple(volumes))


def writing(client: ApiClient, namespace: str, destination: str, mover: Mover) -> tuple[Obj, Obj]:
    """The security contexts (pod's, container's) with which that mover restores: it must write, and own what it may own."""
    if mover.privileged:
        added = ["CHOWN", "DAC_OVERRIDE", "FOWNER"]
        return {}, {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": added}}
    found = client.get(REPLICATION_DESTINATION, destination, namespace) or {}
    return table(found, "spec", "restic", "moverSecurityContext"), mover.identities[0][1]


def _copied_origin(client: ApiClient, namespace: str, origin: Obj, twist: Twist) -> Obj:
    name = text(origin, "secretRef", "name")
    if not name:
        raise PermanentError(f"a mover of {namespace} takes its environment from something that is no Secret")
    return {"secretRef": {"name": _copy(client, SECRET, namespace, name, twist)}}


def _copied_volume(client: ApiClient, namespace: str, volume: Obj) -> Obj:
    kinds = [key for key in volume if key != "name"]
    if not set(kinds) <= _SHAREABLE:
        raise PermanentError(
            f"a mover of {namespace} mounts {', '.join(kinds)}, which only its own namespace has",
            hint="this repository cannot be rehearsed: a restore into another namespace cannot reach it",
        )
    if secret := table(volume, "secret"):
        return volume | {"secret": secret | {"secretName": _copy(client, SECRET, namespace, text(secret, "secretName"))}}
    if config := table(volume, "configMap"):
        return volume | {"configMap": config | {"name": _copy(client, CONFIG_MAP, namespace, text(config, "name"))}}
    return volume


def _copy(client: ApiClient, kind: Kind, namespace: str, name: str, twist: Twist = Twist.NONE) -> str:
    """Copy it, and answer the copy's name: one of its own for each original and twist."""
    found = client.get(kind, name, namespace)
    if found is None:
        raise PermanentError(f"{kind.name} {namespace}/{name} of the mover is not there")
    data = {str(key): str(value) for key, value in table(found, "data").items()}
    if twist is Twist.WRONG_PASSWORD:
        data["RESTIC_PASSWORD"] = _encoded("not the password")
    elif twist is Twist.EMPTY_REPOSITORY:
        there = base64.b64decode(data.get("RESTIC_REPOSITORY", "")).decode()
        data["RESTIC_REPOSITORY"] = _encoded(there.rstrip("/\n") + _NOWHERE)
    copy = f"mover-{hashlib.sha256(f'{kind.name} {namespace}/{name} {twist.value}'.encode()).hexdigest()[:12]}"
    body: Obj = {"metadata": {"name": copy, "namespace": SCRATCH, "labels": LABELS}, "data": data}
    try:
        client.create(kind, body, SCRATCH)
    except AlreadyThere:
        client.merge(kind, copy, {"data": data}, SCRATCH)
    return copy


def _encoded(text_: str) -> str:
    return base64.b64encode(text_.encode()).decode()
