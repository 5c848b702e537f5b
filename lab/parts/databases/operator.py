"""The lab's stand-in for CloudNativePG's operator: of a Cluster it makes a claim, a Job that fills it, and a pod that serves it.

Runs as a process of its own, started by its Deployment's pod. One instance, whatever a Cluster asks for; no services, no replicas,
no ScheduledBackup. Objects, labels, phases and conditions are called as the real one calls them. Whether a database holds what it
should is nobody's question here: a server that answers is healthy.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from engine.text.jsontext import Malformed, an_object, read
from lab.parts.databases.barman import NO_NEWER_CHECKSUMS
from lab.parts.databases.cnpg import INSTANCE, SCRATCH
from lab.parts.databases.instance import DATA, RUN
from lab.parts.errors import PartFailed
from lab.parts.kube import CLAIMS, JOBS, PODS, SECRETS, Access, ApiRefused, Kube, Object, Resource
from lab.parts.pods.podstatus import is_ready, stamp

CLUSTERS = Resource("/apis/postgresql.cnpg.io/v1", "clusters")
STORES = Resource("/apis/barmancloud.cnpg.io/v1", "objectstores")
PLUGIN = "barman-cloud.cloudnative-pg.io"
HEALTHY, SETTING_UP, WAITING = "Cluster in healthy state", "Setting up primary", "Waiting for the instances to become active"
_HIBERNATION = "cnpg.io/hibernation"
_STATUS = "cnpg.io/pvcStatus"
T = TypeVar("T")
_NOBODY = 65534
"""initdb looks its user up by number, and this machine knows no 26, which is postgres in the real image."""
_IDLE_S = 0.3


class Operator:
    """Serves all Clusters of the API."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def run(self) -> None:
        """Serve until the process is ended. What fails is tried again."""
        while True:
            for cluster in _tried(lambda: self._kube.list(CLUSTERS)) or ():
                if not cluster["metadata"].get("deletionTimestamp"):
                    _tried(partial(self.reconcile, cluster))
            time.sleep(_IDLE_S)

    def reconcile(self, cluster: Object) -> None:
        """One look at one Cluster, and what it asks for next."""
        wanted = Wanted(self._kube, cluster)
        if wanted.secret is not None:
            self._ensure(SECRETS, wanted.secret)
        claim = self._ensure(CLAIMS, wanted.claim)
        if (claim["metadata"].get("annotations") or {}).get(_STATUS) != "ready":
            self._set_up(cluster, wanted, claim)
            return
        if (cluster["metadata"].get("annotations") or {}).get(_HIBERNATION) == "on":
            self._rest(cluster, wanted)
            return
        pod = self._ensure(PODS, wanted.pod)
        if pod["status"].get("phase") in ("Failed", "Succeeded"):
            self._kube.delete(PODS, pod)
        said = self._said(pod) if is_ready(pod) else None
        if said is None:
            self._say(cluster, WAITING, f"Instance {wanted.instance} is not ready", _not_ready())
            return
        refused = f"Error while archiving {said['refused']}" if said.get("refused") else ""
        archiving = _condition("ContinuousArchiving", "False" if refused else "True",
                               "ContinuousArchivingFailing" if refused else "ContinuousArchivingSuccess", refused)  # fmt: skip
        awake = _condition(_HIBERNATION, "False", "Running")
        self._say(
            cluster, HEALTHY, "", _condition("Ready", "True", "ClusterIsReady"), archiving, awake, readyInstances=1,
            currentPrimary=wanted.instance, systemID=said["systemID"], timelineID=said["timelineID"],
        )  # fmt: skip

    def _set_up(self, cluster: Object, wanted: Wanted, claim: Object) -> None:
        job = self._ensure(JOBS, wanted.job)
        if any(one["type"] == "Complete" and one["status"] == "True" for one in job.get("status", {}).get("conditions") or []):
            self._kube.patch(CLAIMS, claim, {"metadata": {"annotations": {_STATUS: "ready"}}})
            self._kube.delete(JOBS, job)
            return
        self._say(cluster, SETTING_UP, f"Creating primary instance {wanted.instance}", _not_ready())

    def _rest(self, cluster: Object, wanted: Wanted) -> None:
        pod = self._kube.get(PODS, wanted.instance, wanted.namespace)
        if pod is not None and not pod["metadata"].get("deletionTimestamp"):
            self._kube.delete(PODS, pod)
        asleep = _condition(_HIBERNATION, *(("True", "Hibernated") if pod is None else ("False", "DeletingPods")))
        self._say(cluster, HEALTHY, "", _not_ready(), asleep, readyInstances=0)

    def _said(self, pod: Object) -> Object | None:
        """The newest that its instance has said of itself."""
        found = self._kube.text(f"{PODS.of(pod, 'log')}?container=postgres&tailLines=50")
        for line in reversed(found.splitlines()):
            if line.startswith('{"systemID"'):
                try:
                    return read(line.encode(), an_object)
                except Malformed:
                    return None
        return None

    def _ensure(self, resource: Resource, item: Object) -> Object:
        meta = item["metadata"]
        found = self._kube.get(resource, meta["name"], meta["namespace"])
        return found if found is not None else self._kube.create(resource, item)

    def _say(self, cluster: Object, phase: str, reason: str, *conditions: Object, **more: Any) -> None:
        before = cluster.get("status") or {}
        kept = {one["type"]: one for one in before.get("conditions") or []}
        said = {one["type"]: one for one in conditions}
        for name, one in said.items():
            if name in kept and all(kept[name].get(key) == one[key] for key in ("status", "reason", "message")):
                said[name] = kept[name]
        status = {"phase": phase, "phaseReason": reason, "instances": 1, "conditions": list((kept | said).values()), **more}
        if any(before.get(key) != value for key, value in status.items()):
            self._kube.patch(CLUSTERS, cluster, {"status": status}, "status")


def _tried(act: Callable[[], T]) -> T | None:
    """What it answers; None where it fails, and the log says why."""
    try:
        return act()
    except (ApiRefused, httpx.HTTPError, PartFailed, LookupError, StopIteration) as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.stdout.flush()
        return None


class Wanted:
    """What one Cluster stands for. KeyError for one that is not like any that the lab knows."""

    def __init__(self, kube: Kube, cluster: Object) -> None:
        meta, self._spec = cluster["metadata"], cluster["spec"]
        self.namespace, self.name = meta["namespace"], meta["name"]
        self.instance = f"{self.name}-1"
        self._kube = kube
        self._owner = {
            "apiVersion": cluster["apiVersion"], "kind": cluster["kind"], "name": self.name, "uid": meta["uid"],
            "controller": True, "blockOwnerDeletion": True,
        }  # fmt: skip
        bootstrap = self._spec.get("bootstrap") or {}
        self._recovery = bootstrap.get("recovery")
        made = self._recovery or bootstrap.get("initdb") or {}
        self._database, self._login = made.get("database") or "app", made.get("owner") or "app"
        self._given = (made.get("secret") or {}).get("name")
        self._writes = next((one["parameters"] for one in self._spec.get("plugins") or [] if one.get("isWALArchiver")), None)
        self._reads = self._source()

    def _source(self) -> Object | None:
        if not self._recovery:
            return None
        outer = next(one for one in self._spec["externalClusters"] if one["name"] == self._recovery["source"])
        found: Object = outer["plugin"]["parameters"]
        return found

    @property
    def secret(self) -> Object | None:
        """The application's login, with a password that nobody chose; None where Git names a Secret."""
        if self._given:
            return None
        told = {"username": self._login, "password": secrets.token_urlsafe(24), "dbname": self._database}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in told.items()}
        kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth"}
        return {**kind, "metadata": self._meta(f"{self.name}-app"), "data": data}

    @property
    def claim(self) -> Object:
        """The claim of its one instance."""
        storage = self._spec.get("storage") or {}
        named = {"storageClassName": storage["storageClass"]} if storage.get("storageClass") else {}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.get("size", "1Gi")}}, **named}
        meta = self._meta(self.instance, {"cnpg.io/pvcRole": "PG_DATA"}) | {"annotations": {_STATUS: "initializing"}}
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}

    @property
    def job(self) -> Object:
        """The Job that makes its data."""
        role = "full-recovery" if self._recovery else "initdb"
        labels = {"cnpg.io/jobRole": role}
        pod = self._pod_spec(role, "make", self._reads or self._writes) | {"restartPolicy": "Never"}
        template = {"metadata": {"labels": self._labels(labels)}, "spec": pod}
        meta = self._meta(f"{self.instance}-{role}", labels)
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}}

    @property
    def pod(self) -> Object:
        """The pod that serves it."""
        labels = {"cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary", "role": "primary"}
        spec = self._pod_spec("postgres", "run", self._writes)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": self._meta(self.instance, labels), "spec": spec}

    def _pod_spec(self, container: str, what: str, parameters: Object | None) -> Object:
        store = self._store(parameters)
        told = {
            "reads": self._placed(self._reads), "writes": self._placed(self._writes), "backup": self._target("backupID"),
            "target": self._target("targetTime"), "database": self._database, "owner": self._login,
        }  # fmt: skip
        environment: list[Object] = [
            {"name": "PGDATA", "value": str(DATA)}, {"name": "PGHOST", "value": str(RUN)}, {"name": "PGPORT", "value": "5432"},
            {"name": "LAB_DATABASE", "value": json.dumps(told)},
            _from_secret("APP_PASSWORD", {"name": self._given or f"{self.name}-app", "key": "password"}),
        ]  # fmt: skip
        volumes: list[Object] = [{"name": "pgdata", "persistentVolumeClaim": {"claimName": self.instance}},
                                 {"name": SCRATCH, "emptyDir": {}}]  # fmt: skip
        mounts = [{"name": "pgdata", "mountPath": str(DATA.parent)}, {"name": SCRATCH, "mountPath": str(RUN.parent)}]
        if store is not None:
            keys, authority = store["s3Credentials"], store["endpointCA"]
            environment += [
                _from_secret("AWS_ACCESS_KEY_ID", keys["accessKeyId"]),
                _from_secret("AWS_SECRET_ACCESS_KEY", keys["secretAccessKey"]),
                {"name": "AWS_CA_BUNDLE", "value": f"/barman/{authority['key']}"},
                *({"name": name, "value": value} for name, value in NO_NEWER_CHECKSUMS.items()),
            ]
            volumes.append({"name": "store-ca", "secret": {"secretName": authority["name"]}})
            mounts.append({"name": "store-ca", "mountPath": "/barman"})
        one = {
            "name": container, "image": self._spec.get("imageName", "ghcr.io/cloudnative-pg/postgresql:15"), "env": environment,
            "command": ["/bin/sh", "-c", f'exec "$LAB_PYTHON" -I {INSTANCE} {what}'], "volumeMounts": mounts,
        }  # fmt: skip
        who = {"runAsUser": _NOBODY, "runAsGroup": _NOBODY, "fsGroup": _NOBODY, "runAsNonRoot": True}
        return {"securityContext": who, "containers": [one], "volumes": volumes}

    def _target(self, name: str) -> str:
        return str(((self._recovery or {}).get("recoveryTarget") or {}).get(name) or "")

    def _store(self, parameters: Object | None) -> Object | None:
        if parameters is None:
            return None
        named = parameters["barmanObjectName"]
        found = self._kube.get(STORES, named, self.namespace)
        if found is None:
            raise PartFailed(f"there is no ObjectStore {self.namespace}/{named}")
        told: Object = found["spec"]["configuration"]
        return told

    def _placed(self, parameters: Object | None) -> Object | None:
        store = self._store(parameters)
        if store is None or parameters is None:
            return None
        server = parameters.get("serverName") or self.name
        return {"endpoint": store["endpointURL"], "destination": store["destinationPath"], "server": server}

    def _meta(self, name: str, labels: Object | None = None) -> Object:
        return {"name": name, "namespace": self.namespace, "labels": self._labels(labels or {}), "ownerReferences": [self._owner]}

    def _labels(self, more: Object) -> Object:
        return {"cnpg.io/cluster": self.name, "cnpg.io/instanceName": self.instance} | more


def _from_secret(name: str, reference: Object) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": reference["name"], "key": reference["key"]}}}


def _not_ready() -> Object:
    return _condition("Ready", "False", "ClusterIsNotReady")


def _condition(kind: str, status: str, reason: str, message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp()}


def main() -> None:
    """Serve with the kubeconfig that the environment names."""
    with Kube(Access.from_kubeconfig(Path(os.environ["KUBECONFIG"]))) as kube:
        Operator(kube).run()


if __name__ == "__main__":
    main()
