"""Where the databases of a house archive to: CloudNativePG clusters, in their own `backup.barmanObjectStore` or by barman's plugin.

The plugin's ObjectStore lies in the cluster's namespace; `serverName` is the cluster's name where nothing says otherwise.
Opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from house.data.releases import everything
from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject

_PLUGIN = "barman-cloud.cloudnative-pg.io"
Stores = dict[tuple[str, str], RenderedObject]


@dataclass(frozen=True)
class Archive:
    """One database's archive as Git declares it. `place` is `s3:https://endpoint/bucket/path/server`, "" where `note` says why
    not."""

    namespace: str
    name: str
    place: str
    note: str
    declared_in: str

    @property
    def key(self) -> str:
        """`namespace/name` of the database."""
        return f"{self.namespace}/{self.name}"


def archives(rendered: Rendered) -> tuple[Archive, ...]:
    """The archive of every database that has one, in the order of the graph."""
    rendered = everything(rendered)
    stores = object_stores(rendered)
    found = (_archive(one, stores) for one in rendered.of_kind("postgresql.cnpg.io", "Cluster"))
    return tuple(one for one in found if one is not None)


def is_archived_by(backup: RenderedObject) -> bool:
    """Whether a ScheduledBackup's base backups go to an archive: one of volume snapshots or of another plugin does not."""
    method = str(backup.spec.get("method") or "barmanObjectStore")
    if method == "plugin":
        return mapping(backup.spec.get("pluginConfiguration")).get("name") == _PLUGIN
    return method == "barmanObjectStore"


def does_archive(spec: dict[str, Any]) -> bool:
    """Whether a Cluster with this spec archives at all."""
    return _inline(spec) is not None or _plugin(spec) is not None


def _inline(spec: dict[str, Any]) -> dict[str, Any] | None:
    store = mapping(spec.get("backup")).get("barmanObjectStore")
    return store if isinstance(store, dict) and store else None


def _plugin(spec: dict[str, Any]) -> dict[str, Any] | None:
    """The plugin that archives; one that is switched off does not."""
    plugins = map(mapping, sequence(spec.get("plugins")))
    return next((one for one in plugins if one.get("isWALArchiver") is True and one.get("enabled") is not False), None)


def object_stores(rendered: Rendered) -> Stores:
    """The plugin's ObjectStores, by namespace and name."""
    return {(one.namespace, one.name): one for one in rendered.objects if one.kind == "ObjectStore" and "barman" in one.group}


def _archive(cluster: RenderedObject, stores: Stores) -> Archive | None:
    return placed(cluster, _inline(cluster.spec), _plugin(cluster.spec), stores, cluster.name)


def placed(
    cluster: RenderedObject, inline: dict[str, Any] | None, plugin: dict[str, Any] | None, stores: Stores, server: str
) -> Archive | None:
    """Where a store in a Cluster's own words, or else the plugin with its ObjectStore, keeps an archive; None for neither.

    `server` is what it is called where no serverName is given.
    """
    if inline is not None:
        return _placed(cluster, inline, str(inline.get("serverName") or server))
    if plugin is None:
        return None
    given = mapping(plugin.get("parameters"))
    named = str(given.get("barmanObjectName") or "")
    store = stores.get((cluster.namespace, named))
    if plugin.get("name") != _PLUGIN:
        return _untold(cluster, f"it archives by plugin {plugin.get('name')}, which is not known here")
    if store is None:
        return _untold(cluster, f"ObjectStore {cluster.namespace}/{named or 'without a name'} is not in the repository")
    return _placed(cluster, mapping(store.spec.get("configuration")), str(given.get("serverName") or server))


def _placed(cluster: RenderedObject, store: dict[str, Any], server: str) -> Archive:
    destination, endpoint = str(store.get("destinationPath") or ""), str(store.get("endpointURL") or "https://s3.amazonaws.com")
    scheme, _, path = destination.partition("://")
    if scheme != "s3":
        return _untold(cluster, f"it archives to {destination or 'no destination'}, and only S3 is looked at")
    place = f"s3:{endpoint.rstrip('/')}/{path.strip('/')}/{server}"
    if "${" in place:
        return _untold(cluster, f"it archives to {place}, with a variable that the repository does not show")
    return Archive(cluster.namespace, cluster.name, place, "", cluster.declared_in)


def _untold(cluster: RenderedObject, note: str) -> Archive:
    return Archive(cluster.namespace, cluster.name, "", note, cluster.declared_in)
