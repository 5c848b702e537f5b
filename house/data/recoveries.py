"""What each database of a house would be made again from: the archive that its recovery names, or else the one that it writes to.

Reads CloudNativePG's Cluster as Git declares it. Opens nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from house.data.archives import Archive, Stores, archives, object_stores, placed
from house.data.releases import everything
from house.files.problems import Problem, problem_at
from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject
from house.values.databases import RestorableDatabase


@dataclass(frozen=True)
class Recovery:
    """One database: the archive that it is read from (`place` "" where its note says why not), the place that it then archives to
    ("" where it archives nothing, or nobody can tell), and the Cluster as Flux applies it, as JSON. `target` is the point in time
    that Git itself names, "" for none. `secret` holds the application's password: the operator makes it where `generated`."""

    reads: Archive
    writes: str
    manifest: str
    recovers: bool
    target: str = ""
    secret: str = ""
    generated: bool = True
    user: str = ""
    database: str = ""

    @property
    def over_itself(self) -> bool:
        """Whether it recovers from the very place that it archives to then: CloudNativePG makes none over an archive."""
        return self.recovers and bool(self.writes) and self.writes == self.reads.place


def recoveries(rendered: Rendered) -> tuple[Recovery, ...]:
    """One for each database that archives or recovers, in the order of the graph."""
    rendered = everything(rendered)
    stores, written = object_stores(rendered), {one.key: one for one in archives(rendered)}
    found = (_recovery(one, stores, written) for one in rendered.of_kind("postgresql.cnpg.io", "Cluster"))
    return tuple(one for one in found if one is not None)


def over_themselves(found: Iterable[RestorableDatabase]) -> Iterator[Problem]:
    """What is to be said of those that recover from the very place that they archive to then."""
    for one in found:
        if one.over_itself:
            what = f"database {one.key} recovers from the archive that it writes to, {one.writes}"
            better = "give what it writes to another serverName: a rebuild of it waits there for good (Expected empty archive)"
            yield problem_at(one.database.declared_in, what, better)


def _recovery(cluster: RenderedObject, stores: Stores, written: dict[str, Archive]) -> Recovery | None:
    own = written.get(f"{cluster.namespace}/{cluster.name}")
    bootstrap = mapping(cluster.spec.get("bootstrap"))
    how = mapping(bootstrap.get("recovery"))
    reads = _source(cluster, how, stores) if how else own
    if reads is None:
        return None
    body = {"apiVersion": cluster.api, "kind": cluster.kind, "metadata": cluster.body.get("metadata"), "spec": cluster.spec}
    made = how or mapping(bootstrap.get("initdb"))
    named = str(mapping(made.get("secret")).get("name") or "")
    target = mapping(how.get("recoveryTarget"))
    told = ", ".join(f"{key} {value}" for key, value in sorted(target.items()) if key.startswith("target") and value)
    return Recovery(
        reads, own.place if own is not None else "", json.dumps(body, sort_keys=True, default=str), bool(how), told,
        named or f"{cluster.name}-app", not named, str(made.get("owner") or ""), str(made.get("database") or ""),
    )  # fmt: skip


def _source(cluster: RenderedObject, how: dict[str, object], stores: Stores) -> Archive:
    """The archive that `bootstrap.recovery` names among the external clusters."""
    source = str(how.get("source") or "")
    if not source:
        other = next((key for key in ("volumeSnapshots", "backup") if how.get(key)), "nothing that is known here")
        return _untold(cluster, f"it recovers from {other}, of which no archive promises anything")
    outer = [one for one in map(mapping, sequence(cluster.spec.get("externalClusters"))) if one.get("name") == source]
    if not outer:
        return _untold(cluster, f"its recovery names {source}, which is not among its externalClusters")
    inline, plugin = (mapping(outer[0].get(key)) or None for key in ("barmanObjectStore", "plugin"))
    return placed(cluster, inline, plugin, stores, source) or _untold(cluster, f"its source {source} is no archive")


def _untold(cluster: RenderedObject, note: str) -> Archive:
    return Archive(cluster.namespace, cluster.name, "", note, cluster.declared_in)
