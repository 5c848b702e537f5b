"""Databases of other operators hold data too, and one that nobody backs up is named, as CloudNativePG's are."""

from __future__ import annotations

import pytest

from house.data.holders import holders
from house.data.joining import declared_data
from house.data.nouns import Keeps
from tests.house.data.test_data import rendered, told

_WANTS = "resources: {requests: {storage: 9Gi}}, storageClassName: fast"
DECLARED = {
    "postgres-operator.crunchydata.com/v1beta1 PostgresCluster": f"instances: [{{replicas: 2, dataVolumeClaimSpec: {{{_WANTS}}}}}]",
    "pgv2.percona.com/v2 PerconaPGCluster": f"instances: [{{replicas: 2, dataVolumeClaimSpec: {{{_WANTS}}}}}]",
    "psmdb.percona.com/v1 PerconaServerMongoDB": f"replsets: [{{size: 2, volumeSpec: {{persistentVolumeClaim: {{{_WANTS}}}}}}}]",
    "pxc.percona.com/v1 PerconaXtraDBCluster": f"pxc: {{size: 2, volumeSpec: {{persistentVolumeClaim: {{{_WANTS}}}}}}}",
    "ps.percona.com/v1 PerconaServerMySQL": f"mysql: {{size: 2, volumeSpec: {{persistentVolumeClaim: {{{_WANTS}}}}}}}",
    "k8s.mariadb.com/v1alpha1 MariaDB": "replicas: 2, storage: {size: 9Gi, storageClassName: fast}",
    "acid.zalan.do/v1 postgresql": "numberOfInstances: 2, volume: {size: 9Gi, storageClass: fast}",
    "mongodbcommunity.mongodb.com/v1 MongoDBCommunity":
        f"members: 2, statefulSet: {{spec: {{volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{{_WANTS}}}}}]}}}}",
    "elasticsearch.k8s.elastic.co/v1 Elasticsearch": f"nodeSets: [{{count: 2, volumeClaimTemplates: [{{spec: {{{_WANTS}}}}}]}}]",
    "mysql.oracle.com/v2 InnoDBCluster": f"instances: 2, datadirVolumeClaimTemplate: {{{_WANTS}}}",
    "rabbitmq.com/v1beta1 RabbitmqCluster": "replicas: 2, persistence: {storage: 9Gi, storageClassName: fast}",
    "redis.redis.opstreelabs.in/v1beta2 RedisCluster": f"clusterSize: 2, storage: {{volumeClaimTemplate: {{spec: {{{_WANTS}}}}}}}",
    "dragonflydb.io/v1alpha1 Dragonfly": f"replicas: 2, snapshot: {{persistentVolumeClaimSpec: {{{_WANTS}}}}}",
    "cassandra.datastax.com/v1beta1 CassandraDatacenter": f"size: 2, storageConfig: {{cassandraDataVolumeClaimSpec: {{{_WANTS}}}}}",
    "minio.min.io/v2 Tenant": f"pools: [{{servers: 2, volumeClaimTemplate: {{spec: {{{_WANTS}}}}}}}]",
}


def declared(kind: str, spec: str, name: str = "db") -> str:
    api, kind = kind.split()
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}"


@pytest.mark.parametrize("kind", DECLARED)
def test_each_is_found_with_its_size_and_class(kind: str) -> None:
    text = declared(kind, DECLARED[kind])
    assert told(text) == [("tools/db", Keeps.OPERATED, "9Gi", "fast")]
    assert holders(rendered(text))[0][0].instances == 2


@pytest.mark.parametrize("kind", DECLARED)
@pytest.mark.parametrize("odd", ["[[odd]]", "{odd: {odd: null}}", "7", "null", "true", "[]", "odd", "[null, 7]"])
def test_no_shape_of_its_fields_is_a_bug_of_ours(kind: str, odd: str) -> None:
    for field in DECLARED[kind].split(": ")[0], DECLARED[kind].split(", ")[-1].split(": ")[0], "storage", "backups", "backup":
        found = rendered(declared(kind, f"{field.strip(' {[')}: {odd}"))
        declared_data(found, (), (), {})


@pytest.mark.parametrize("spec", [
    "psmdb.percona.com/v1 PerconaServerMongoDB|replsets: [{size: 3, volumeSpec: {emptyDir: {}}}]",
    "k8s.mariadb.com/v1alpha1 MariaDB|storage: {ephemeral: true}",
    "redis.redis.opstreelabs.in/v1beta2 Redis|kubernetesConfig: {image: redis}",
    "dragonflydb.io/v1alpha1 Dragonfly|replicas: 2",
    "k8s.mariadb.com/v1alpha1 User|mariaDbRef: {name: db}",
])  # fmt: skip
def test_what_keeps_nothing_holds_no_data(spec: str) -> None:
    assert told(declared(*spec.split("|"))) == []


PGO, MARIA = "postgres-operator.crunchydata.com/v1beta1 PostgresCluster", "k8s.mariadb.com/v1alpha1 MariaDB"
_REPO = "backups: {{pgbackrest: {{repos: [{{name: repo1, {0}: {{}}}}]}}}}"
_BACKUP = "k8s.mariadb.com/v1alpha1 Backup"


@pytest.mark.parametrize(("texts", "bare"), [
    ([declared(PGO, _REPO.format("s3"))], []),
    # A repository on a volume of the cluster goes with the cluster.
    ([declared(PGO, _REPO.format("volume"))], ["tools/db"]),
    ([declared(PGO, "instances: []")], ["tools/db"]),
    ([declared(MARIA, "storage: {size: 1Gi}")], ["tools/db"]),
    ([declared(MARIA, "storage: {size: 1Gi}"), declared(_BACKUP, "mariaDbRef: {name: db}, schedule: {cron: '0 * * * *'}")], []),
    ([declared(MARIA, "storage: {size: 1Gi}"), declared(_BACKUP, "mariaDbRef: {name: other}, schedule: {cron: '0 * * * *'}")],
     ["tools/db"]),
    # Once is no backup, and neither is one that is suspended.
    ([declared(MARIA, "storage: {size: 1Gi}"), declared(_BACKUP, "mariaDbRef: {name: db}")], ["tools/db"]),
    ([declared(MARIA, "storage: {size: 1Gi}"), declared(_BACKUP, "mariaDbRef: {name: db}, schedule: {cron: x, suspend: true}")],
     ["tools/db"]),
    # Of two with one name the backup of the one is none of the other's.
    ([declared(PGO, _REPO.format("s3")), declared(MARIA, "storage: {size: 1Gi}")], ["tools/db"]),
    ([declared(PGO, _REPO.format("s3")), declared("acid.zalan.do/v1 postgresql", "volume: {size: 1Gi}")], ["tools/db"]),
    ([declared("acid.zalan.do/v1 postgresql", "volume: {size: 1Gi}, enableLogicalBackup: true")], []),
    ([declared("acid.zalan.do/v1 postgresql", "volume: {size: 1Gi}")], ["tools/db"]),
])  # fmt: skip
def test_one_without_a_backup_outside_of_the_cluster_is_named(texts: list[str], bare: list[str]) -> None:
    assert [one.holder.key for one in declared_data(rendered(*texts), (), (), {}).unprotected] == bare


def test_one_whose_claim_is_copied_is_protected_and_its_neighbour_is_not() -> None:
    texts = [declared(MARIA, "storage: {size: 1Gi}"), declared(MARIA, "storage: {size: 1Gi}", "b-db")]
    for copied, bare in (("storage-db-0", "b-db"), ("storage-b-db-0", "db")):
        found = declared_data(rendered(*texts), [f"tools/{copied}"], (), {}).unprotected
        assert [one.holder.key for one in found] == [f"tools/{bare}"]
