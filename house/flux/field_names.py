"""Names of the fields of what Flux applies. Flux applies on the server's side, which refuses a field that its kind does not have,
and with it all that its Kustomization applies.

Source: the definitions of kustomize-controller 1.9, helm-controller 1.6 and VolSync 0.16; a cluster may have newer ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from house.files.problems import Steps
from house.files.shapes import mapping
from house.files.typed import at
from house.flux.rendered import RenderedObject

_NEAR = 0.8
_OBJECT = {"apiVersion", "kind", "metadata", "spec", "status", "sops"}  # the last goes as it is decrypted
_NAMES = {"name", "namespace"}
_MOVED = {
    "accessModes", "cacheAccessModes", "cacheCapacity", "cacheStorageClassName", "capacity", "copyMethod", "customCA",
    "moverAffinity", "moverPodLabels", "moverResources", "moverSecurityContext", "moverServiceAccount", "moverVolumes",
    "repository", "storageClassName", "volumeSnapshotClassName",
}  # fmt: skip
_KUSTOMIZATION = {
    "": _OBJECT,
    "spec": {
        "buildMetadata", "commonMetadata", "components", "decryption", "deletionPolicy", "dependsOn", "force",
        "healthCheckExprs", "healthChecks", "ignore", "ignoreMissingComponents", "images", "interval", "kubeConfig",
        "namePrefix", "nameSuffix", "patches", "path", "postBuild", "prune", "retryInterval", "serviceAccountName", "sourceRef",
        "suspend", "targetNamespace", "timeout", "wait",
    },
    "spec.decryption": {"provider", "secretRef", "serviceAccountName"},
    "spec.postBuild": {"substitute", "substituteFrom", "substituteStrategy"},
    "spec.postBuild.substituteFrom[]": {"kind", "name", "optional"},
    "spec.sourceRef": {"apiVersion", "kind", *_NAMES}, "spec.dependsOn[]": {"readyExpr", *_NAMES},
}  # fmt: skip
_RELEASE = {
    "": _OBJECT,
    "spec": {
        "chart", "chartRef", "commonMetadata", "dependsOn", "driftDetection", "healthCheckExprs", "install", "interval",
        "kubeConfig", "maxHistory", "persistentClient", "postRenderStrategy", "postRenderers", "releaseName", "rollback",
        "serviceAccountName", "storageNamespace", "suspend", "targetNamespace", "test", "timeout", "uninstall", "upgrade",
        "values", "valuesFrom", "waitStrategy",
    },
}  # fmt: skip
_ENGINES = {"external", "kopia", "paused", "rclone", "restic", "rsync", "rsyncTLS", "trigger"}
_KNOWN: dict[tuple[str, str], Mapping[str, set[str]]] = {
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"): _KUSTOMIZATION,
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"): _RELEASE,
    ("volsync.backube/v1alpha1", "ReplicationSource"): {
        "": _OBJECT, "spec": {*_ENGINES, "sourcePVC", "syncthing"},
        "spec.restic": {*_MOVED, "pruneIntervalDays", "retain", "unlock"}, "spec.trigger": {"manual", "schedule"},
        "spec.restic.retain": {"daily", "hourly", "last", "monthly", "weekly", "within", "yearly"},
    },
    ("volsync.backube/v1alpha1", "ReplicationDestination"): {
        "": _OBJECT, "spec": _ENGINES, "spec.trigger": {"manual", "schedule"},
        "spec.restic": {
            *_MOVED, "cleanupCachePVC", "cleanupTempPVC", "destinationPVC", "enableFileDeletion", "previous", "restoreAsOf",
        },
    },
}  # fmt: skip
"""Those of one version of the kind alone: another has others."""


def known_fields(api: str, kind: str) -> Mapping[str, set[str]]:
    """The names of fields by where they stand (`spec.dependsOn[]`: of each item of the list); none of a kind that is not read."""
    return _KNOWN.get((api, kind), {})


def unknown_fields(one: RenderedObject) -> Iterator[tuple[Steps, str]]:
    """Each field that its kind does not have, in the object's order: where, and the name that is nearly the same, "" for none."""
    for path, names in known_fields(one.api, one.kind).items():
        for where, body in at(one.body, path):
            for key in mapping(body):
                if key not in names:
                    yield (*where, key), _nearest(key, names)


def _nearest(key: str, names: set[str]) -> str:
    same = {name.lower(): name for name in names}
    found = get_close_matches(key.lower(), same, n=1, cutoff=_NEAR)
    return same[found[0]] if found else ""
