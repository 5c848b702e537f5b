"""Databases and stores of other operators than CloudNativePG: what they hold, and which are told to back themselves up.

Sources of the fields: the API references of PGO (Crunchy Data), of Percona's operators, mariadb-operator, Zalando's, MongoDB's,
Elastic's, Oracle's for MySQL, RabbitMQ's, Redis' by OT, Dragonfly's, Altinity's for ClickHouse, cass-operator and MinIO's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from house.data.foreign import foreign_engine
from house.data.nouns import Holder, Keeps
from house.files.shapes import mapping, sequence
from house.files.typed import at
from house.flux.rendered import RenderedObject


@dataclass(frozen=True)
class _Volumes:
    """Where a kind says what its pods hold: `each` part of its spec that has pods, `claim` within that, how many (`count`).
    `always`: it claims a volume though none is written. `first` is the claim of its first pod, "" where its name cannot be told."""

    claim: str
    count: str
    each: str = ""
    always: bool = True
    first: str = ""


_PERCONA = "volumeSpec.persistentVolumeClaim"
_OF_REDIS = _Volumes("storage.volumeClaimTemplate.spec", "clusterSize", always=False, first="{0}-{0}-0")
_KINDS: dict[tuple[str, str], _Volumes] = {
    ("postgres-operator.crunchydata.com", "PostgresCluster"): _Volumes("dataVolumeClaimSpec", "replicas", "instances[]"),
    ("pgv2.percona.com", "PerconaPGCluster"): _Volumes("dataVolumeClaimSpec", "replicas", "instances[]"),
    ("psmdb.percona.com", "PerconaServerMongoDB"): _Volumes(_PERCONA, "size", "replsets[]", always=False),
    ("pxc.percona.com", "PerconaXtraDBCluster"): _Volumes(_PERCONA, "size", "pxc", always=False, first="datadir-{0}-pxc-0"),
    ("ps.percona.com", "PerconaServerMySQL"): _Volumes(_PERCONA, "size", "mysql", always=False),
    ("k8s.mariadb.com", "MariaDB"): _Volumes("storage", "replicas", first="storage-{0}-0"),
    ("acid.zalan.do", "postgresql"): _Volumes("volume", "numberOfInstances", first="pgdata-{0}-0"),
    ("mongodbcommunity.mongodb.com", "MongoDBCommunity"): _Volumes(
        "statefulSet.spec.volumeClaimTemplates[].spec", "members", first="data-volume-{0}-0"
    ),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): _Volumes("volumeClaimTemplates[].spec", "count", "nodeSets[]"),
    ("mysql.oracle.com", "InnoDBCluster"): _Volumes("datadirVolumeClaimTemplate", "instances", first="datadir-{0}-0"),
    ("rabbitmq.com", "RabbitmqCluster"): _Volumes("persistence", "replicas", first="persistence-{0}-server-0"),
    ("redis.redis.opstreelabs.in", "Redis"): _OF_REDIS,
    ("redis.redis.opstreelabs.in", "RedisReplication"): _OF_REDIS,
    ("redis.redis.opstreelabs.in", "RedisCluster"): _OF_REDIS,
    ("dragonflydb.io", "Dragonfly"): _Volumes("snapshot.persistentVolumeClaimSpec", "replicas", always=False),
    ("clickhouse.altinity.com", "ClickHouseInstallation"): _Volumes(
        "templates.volumeClaimTemplates[].spec", "replicas", always=False
    ),
    ("cassandra.datastax.com", "CassandraDatacenter"): _Volumes("storageConfig.cassandraDataVolumeClaimSpec", "size"),
    ("minio.min.io", "Tenant"): _Volumes("volumeClaimTemplate.spec", "servers", "pools[]"),
}  # fmt: skip
_MARIADB = "k8s.mariadb.com"
_OUTSIDE = ("s3", "gcs", "azure")


def operated(one: RenderedObject) -> Holder | None:
    """What an object has an operator hold, as one database; None for any other object, and for one that keeps nothing."""
    volumes = _KINDS.get((one.group, one.kind))
    if volumes is None or (one.group == _MARIADB and mapping(one.spec.get("storage")).get("ephemeral") is True):
        return None
    count, claims = 0, []
    for part in (mapping(value) for _, value in at(one.spec, volumes.each)):
        number = part.get(volumes.count)
        found = [mapping(value) for _, value in at(part, volumes.claim) if isinstance(value, dict)]
        claims += found
        count += (number if isinstance(number, int) and not isinstance(number, bool) else 1) if found or volumes.always else 0
    if not claims and not volumes.always:
        return None
    first = claims[0] if claims else {}
    return Holder(one.namespace, one.name, Keeps.OPERATED, _size(first), _storage(first), one.declared_in, max(count, 1))


def backed_up(objects: Iterable[RenderedObject], copied: Collection[str]) -> frozenset[str]:
    """Keys (`namespace/name`) of those that their operator is told to back up outside of what they run on, and of those whose first
    pod's claim is among `copied`, the keys of claims that something copies."""
    ours = [one for one in objects if operated(one) is not None]
    told = {(one.group, key) for one in objects if (key := _saved(one))}
    bare = {_key(one) for one in ours if (one.group, _key(one)) not in told and _first_claim(one) not in copied}
    # Of two kinds with one name the one without a backup counts: a name says no kind.
    return frozenset(_key(one) for one in ours) - bare


def _key(one: RenderedObject) -> str:
    return f"{one.namespace}/{one.name}"


def _first_claim(one: RenderedObject) -> str:
    """The key of its first pod's claim; no claim's where that cannot be told."""
    named = _KINDS[one.group, one.kind].first
    return f"{one.namespace}/{named.format(one.name)}" if named else ""


def _saved(one: RenderedObject) -> str:
    """The key of what this object has backed up: itself, or for mariadb-operator what it names; "" for none."""
    if not foreign_engine(one.group, one.kind, one.spec):
        return ""
    if one.group == _MARIADB:
        named = mapping(one.spec.get("mariaDbRef"))
        return f"{named.get('namespace') or one.namespace}/{named.get('name')}"
    if (one.group, one.kind) not in _KINDS:
        return ""
    rest = mapping(mapping(one.spec.get("backups")).get("pgbackrest"))
    if rest and not any(place in mapping(repo) for repo in sequence(rest.get("repos")) for place in _OUTSIDE):
        return ""  # its only repositories are volumes of the same cluster, and go with it
    return _key(one)


def _size(claim: dict[str, Any]) -> str:
    inner = mapping(claim.get("volumeClaimTemplate")) or claim
    requested = mapping(mapping(inner.get("resources")).get("requests")).get("storage")
    return next((str(one) for one in (requested, claim.get("size"), claim.get("storage")) if isinstance(one, str | int)), "")


def _storage(claim: dict[str, Any]) -> str:
    inner = mapping(claim.get("volumeClaimTemplate")) or claim
    return next((one for key in ("storageClassName", "storageClass") if isinstance(one := inner.get(key, claim.get(key)), str)), "")
