"""The Cluster that makes a database again from its archive, where Git declares none that would: written for review. Asks nobody.

It is Git's own Cluster with a recovery in place of what it says of its making, and it archives under another server name than the
one that it is read from: a restored database that wrote beside the backups it came from would be refused, or spoil them.
"""

from __future__ import annotations

import time
from typing import Any

from adapters.archives.results import RecoveryPoint
from engine.errors import PermanentError
from engine.text.jsontext import Malformed, an_object, read

HANDS_OFF = "kustomize.toolkit.fluxcd.io/reconcile"
"""Annotation by which Flux applies nothing to an object that is there (`disabled`). A reconciliation that had begun when its
Kustomization was suspended goes on: it would have a database that was just made archive to where that is restored from."""
PLUGIN = "barman-cloud.cloudnative-pg.io"
SOURCE = "blackstart-archive"
_KEPT = ("labels", "annotations", "name", "namespace")


def new_server(old: str, point: RecoveryPoint, attempt: int = 1) -> str:
    """The server name that the restored database archives under: the old one and the day and minute of what comes back, and from
    the second attempt on its number."""
    return f"{old}-{time.strftime('%Y%m%dt%H%M', time.gmtime(point.time))}{f'-{attempt}' if attempt > 1 else ''}"


def written_server(manifest: bytes) -> str:
    """The server name that a recovery archives under; "" for text that is none, or says none."""
    try:
        return archives_under(read(manifest, an_object))
    except Malformed:
        return ""


def archives_under(cluster: dict[str, Any]) -> str:
    """The server name that a Cluster archives under, "" where it says none."""
    try:
        spec = cluster.get("spec") or {}
        store = (spec.get("backup") or {}).get("barmanObjectStore") or {}
        plugins = [one.get("parameters") or {} for one in spec.get("plugins") or [] if one.get("isWALArchiver") is True]
        return str(next((one["serverName"] for one in (store, *plugins) if one.get("serverName")), ""))
    except (AttributeError, TypeError):
        return ""


def reached_by(manifest: bytes) -> tuple[tuple[str, str], ...]:
    """Kind and name of what a recovery reaches its archives by: the plugin's ObjectStores, or the Secrets of a store in its own
    words. Nothing for text that is none."""
    try:
        spec = read(manifest, an_object).get("spec") or {}
        outer = spec.get("externalClusters") or []
        plugins = [*(spec.get("plugins") or []), *(one["plugin"] for one in outer if one.get("plugin"))]
        inline = [(spec.get("backup") or {}).get("barmanObjectStore"), *(one.get("barmanObjectStore") for one in outer)]
        named = [("ObjectStore", one["parameters"]["barmanObjectName"]) for one in plugins if one.get("name") == PLUGIN]
        for store in filter(None, inline):
            said = [*(store.get("s3Credentials") or {}).values(), store.get("endpointCA")]
            named += [("Secret", one["name"]) for one in said if isinstance(one, dict) and one.get("name")]
        return tuple(dict.fromkeys((kind, str(name)) for kind, name in named))
    except (Malformed, AttributeError, TypeError, KeyError):
        return ()


def recovery_manifest(declared: str, namespace: str, old: str, new: str, point: RecoveryPoint | None = None) -> dict[str, Any]:
    """The object for kubectl of the Cluster that Git declares as `declared` (JSON), read from server `old` and writing to `new`.

    Without a point it is recovered from the newest base backup to the end of its log. PermanentError for one that archives in no
    form that is known here.
    """
    given = read(declared, an_object)
    spec: dict[str, Any] = dict(given.get("spec") or {})
    metadata = {key: value for key, value in (given.get("metadata") or {}).items() if key in _KEPT} | {"namespace": namespace}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), HANDS_OFF: "disabled"}
    made = (spec.get("bootstrap") or {}).get("initdb") or {}
    recovery: dict[str, Any] = {"source": SOURCE} | {k: made[k] for k in ("database", "owner", "secret") if made.get(k)}
    if point is not None:
        recovery["recoveryTarget"] = {"backupID": point.base}
        if point.target:
            recovery["recoveryTarget"]["targetTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(point.target))
    outer, archiving = _read_and_write(spec, old, new)
    others = [one for one in spec.get("externalClusters") or [] if one.get("name") != SOURCE]
    spec |= archiving | {"bootstrap": {"recovery": recovery}, "externalClusters": [*others, {"name": SOURCE, **outer}]}
    return {"apiVersion": given["apiVersion"], "kind": given["kind"], "metadata": metadata, "spec": spec}


def _read_and_write(spec: dict[str, Any], old: str, new: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the external cluster that is read from, what of the spec says where to archive to)."""
    store = (spec.get("backup") or {}).get("barmanObjectStore")
    if store:
        backup = {**spec["backup"], "barmanObjectStore": {**store, "serverName": new}}
        return {"barmanObjectStore": {**store, "serverName": old}}, {"backup": backup}
    plugins = list(spec.get("plugins") or [])
    for index, one in enumerate(plugins):
        if one.get("name") == PLUGIN and one.get("isWALArchiver") is True:
            parameters = one.get("parameters") or {}
            plugins[index] = {**one, "parameters": {**parameters, "serverName": new}}
            return {"plugin": {"name": PLUGIN, "parameters": {**parameters, "serverName": old}}}, {"plugins": plugins}
    raise PermanentError("the database archives in no form that a recovery could be written for", hint="declare it in Git")
