"""Fields of what Flux applies that the API server refuses, and with them all that their Kustomization applies: of another type or
form, missing, or misspelt.

Only kinds and fields that are read here, as kustomize-controller 1.9, helm-controller 1.6, VolSync 0.16 and CloudNativePG 1.27
have them. What comes out of a build is JSON by then: `yes` is a text.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

from house.files.problems import dotted
from house.files.quantity import is_more_than_nothing
from house.files.typed import (
    LIST,
    MAPPING,
    MAPPINGS,
    TEXT,
    TEXT_BY_NAME,
    TEXTS,
    TRUTH,
    WHOLE,
    Fields,
    Shape,
    amiss,
    lacking,
)
from house.flux.data import decoded
from house.flux.field_names import unknown_fields
from house.flux.rendered import RenderedObject

_TIME = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}t\d{2}:\d{2}:\d{2}(\.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")


def _quantity(value: object) -> bool:
    """Whether it is one as Kubernetes has them."""
    return (TEXT.fits(value) or WHOLE.fits(value)) and _NUMBER.fullmatch(str(value)) is not None


def _moment(text: str) -> bool:
    """Whether it is one as the API server reads dates with their time."""
    if _MOMENT.fullmatch(text.lower()) is None:
        return False
    with suppress(ValueError):
        datetime.fromisoformat(text.upper())
        return True
    return False


def _size(value: object) -> bool:
    """The same and more than nothing, as a claim has to ask for."""
    return _quantity(value) and is_more_than_nothing(str(value))


def _one_of(*words: str, better: str = "") -> Shape:
    known = ", ".join(words)
    return Shape(f"none of {known}", better or f"write {words[0]}", lambda value: value in words)


_COPY = _one_of("Direct", "None", "Clone", "Snapshot", better="write Snapshot, Clone or Direct")
_DELETION = _one_of("MirrorPrune", "Delete", "WaitForTermination", "Orphan", better="write MirrorPrune, or leave it out")
_INSTANT = Shape("a time", "write it as in `2026-01-31T04:00:00Z`", lambda value: TEXT.fits(value) and _moment(value))
_MODES = Shape("a list of one at least", "write it as in `[ReadWriteOnce]`", lambda value: LIST.fits(value) and bool(value), TEXT)
_NAMESPACE = Shape("a namespace", "write its name", lambda value: TEXT.fits(value) and 0 < len(value) < 64)
_DURATION = Shape("a length of time", "write it as in `10m`", lambda value: TEXT.fits(value) and bool(_TIME.fullmatch(value)))
_QUANTITY = Shape("a size", "write it as in `5Gi`", _quantity)
_SIZE = Shape("a size of more than nothing", _QUANTITY.better, _size)
_FLUX = {
    **dict.fromkeys(("spec.interval", "spec.timeout", "spec.retryInterval"), _DURATION), "spec.targetNamespace": _NAMESPACE,
    "spec.suspend": TRUTH,
}  # fmt: skip
_KUSTOMIZATION: Fields = {
    **_FLUX, **dict.fromkeys(("spec.prune", "spec.wait", "spec.force"), TRUTH), "spec.path": TEXT, "spec.components": TEXTS,
    "spec.deletionPolicy": _DELETION,
    "spec.dependsOn": MAPPINGS, "spec.sourceRef": MAPPING, "spec.decryption": MAPPING,
    "spec.decryption.provider": _one_of("sops"), "spec.patches": MAPPINGS,
    "spec.sourceRef.kind": _one_of("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact"),
    "spec.postBuild": MAPPING, "spec.postBuild.substitute": TEXT_BY_NAME, "spec.postBuild.substituteFrom": MAPPINGS,
    "spec.commonMetadata": MAPPING, "spec.healthChecks": MAPPINGS, "spec.images": MAPPINGS,
}  # fmt: skip
_RELEASE: Fields = {
    **_FLUX, "spec.values": MAPPING, "spec.valuesFrom": MAPPINGS, "spec.dependsOn": MAPPINGS, "spec.chart": MAPPING,
    "spec.chartRef": MAPPING, "spec.releaseName": TEXT, "spec.install": MAPPING, "spec.upgrade": MAPPING,
}  # fmt: skip
_SECURITY = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), WHOLE)
_MOVER: Fields = {
    "spec": MAPPING, "spec.paused": TRUTH, "spec.trigger": MAPPING, "spec.trigger.schedule": TEXT, "spec.trigger.manual": TEXT,
    **{
        f"spec.{engine}{path}": shape
        for engine in ("restic", "kopia")
        for path, shape in {
            "": MAPPING, ".repository": TEXT, ".copyMethod": _COPY, ".storageClassName": TEXT, ".volumeSnapshotClassName": TEXT,
            ".accessModes": _MODES, ".moverSecurityContext": MAPPING, ".moverServiceAccount": TEXT,
            ".capacity": _QUANTITY, ".cacheCapacity": _QUANTITY,
            **{f".moverSecurityContext.{key}": shape for key, shape in _SECURITY.items()},
        }.items()
    },
}  # fmt: skip
_KEPT = dict.fromkeys(("hourly", "daily", "weekly", "monthly", "yearly"), WHOLE)
_SOURCE: Fields = {
    **_MOVER, "spec.sourcePVC": TEXT, "spec.restic.pruneIntervalDays": WHOLE, "spec.restic.retain": MAPPING,
    "spec.restic.retain.within": TEXT, "spec.restic.retain.last": TEXT,
    **{f"spec.restic.retain.{key}": shape for key, shape in _KEPT.items()},
}  # fmt: skip
_DESTINATION: Fields = {
    **_MOVER, "spec.restic.restoreAsOf": _INSTANT, "spec.restic.previous": WHOLE, "spec.restic.enableFileDeletion": TRUTH,
    "spec.restic.destinationPVC": TEXT,
}  # fmt: skip
_BASE64 = Shape("base64", "write it under stringData, or encode it", lambda value: TEXT.fits(value) and decoded(value) is not None)
_SECRET: Fields = {"stringData": TEXT_BY_NAME, "data": Shape("a mapping", TEXT_BY_NAME.better, MAPPING.fits, _BASE64)}
_FIELDS: dict[tuple[str, str], Fields] = {
    ("", "ConfigMap"): {"data": TEXT_BY_NAME},
    ("", "Secret"): _SECRET,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): _KUSTOMIZATION,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _RELEASE,
    ("volsync.backube", "ReplicationSource"): _SOURCE,
    ("volsync.backube", "ReplicationDestination"): _DESTINATION,
    ("postgresql.cnpg.io", "Cluster"): {
        "spec.instances": WHOLE, "spec.bootstrap": MAPPING, "spec.externalClusters": MAPPINGS, "spec.backup": MAPPING,
        "spec.plugins": MAPPINGS, "spec.storage": MAPPING, "spec.imageName": TEXT,
    },
    ("postgresql.cnpg.io", "ScheduledBackup"): {
        "spec.schedule": TEXT, "spec.suspend": TRUTH, "spec.immediate": TRUTH, "spec.cluster": MAPPING, "spec.method": TEXT,
    },
    ("", "PersistentVolumeClaim"): {
        "spec.dataSourceRef": MAPPING, "spec.accessModes": _MODES, "spec.storageClassName": TEXT, "spec.volumeName": TEXT,
        "spec.resources": MAPPING, "spec.resources.requests.storage": _SIZE,
    },
}  # fmt: skip


_REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): (
        "spec.interval", "spec.prune", "spec.sourceRef", "spec.sourceRef.kind", "spec.sourceRef.name", "spec.decryption.provider",
        "spec.decryption.secretRef.name", "spec.dependsOn[].name", "spec.patches[].patch", "spec.postBuild.substituteFrom[].kind",
        "spec.postBuild.substituteFrom[].name",
    ),
    ("helm.toolkit.fluxcd.io", "HelmRelease"): (
        "spec.interval", "spec.chart.spec", "spec.chart.spec.chart", "spec.chart.spec.sourceRef", "spec.chartRef.kind",
        "spec.chartRef.name", "spec.dependsOn[].name", "spec.valuesFrom[].kind", "spec.valuesFrom[].name",
    ),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes", "spec.resources", "spec.resources.requests", "spec.resources.requests.storage",
    ),
}  # fmt: skip


def refused_field(one: RenderedObject) -> tuple[str, str] | None:
    """What keeps the API server from taking this object (`spec.paused is text, not true or false`), and what would be right."""
    fields = _FIELDS.get((one.group, one.kind), {}) if "sops" not in one.body else {}  # what is encrypted is text, whatever it was
    found = next(amiss(one.body, fields), None)
    if found is not None:
        return f"{dotted(found[0])} {found[1]}", found[2]
    for where in lacking(one.body, _REQUIRED.get((one.group, one.kind), ())):
        return f"{dotted(where)} is missing", "write it"
    if (one.group, one.kind) == ("helm.toolkit.fluxcd.io", "HelmRelease") and one.api.endswith("/v2"):
        named = [key for key in ("chart", "chartRef") if one.spec.get(key) is not None]
        if len(named) != 1:
            return f"spec has {'both chart and chartRef' if named else 'neither chart nor chartRef'}", "give it one of the two"
    for where, near in unknown_fields(one):
        if near:
            return f"{dotted(where)} is no field of a {one.kind}", f"the nearest one is {near}"
    return None
