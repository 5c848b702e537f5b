"""Fields of what Flux applies that the API server refuses, and with them all that their Kustomization applies: of another type.

Only kinds and fields that are read here, as kustomize-controller 1.9, helm-controller 1.4, VolSync 0.16 and CloudNativePG 1.27
have them. What comes out of a build is JSON by then: `yes` is a text.
"""

from __future__ import annotations

import re

from house.files.problems import dotted
from house.files.typed import LIST, MAPPING, MAPPINGS, TEXT, TEXT_BY_NAME, TEXTS, TRUTH, WHOLE, Fields, Shape, amiss
from house.flux.rendered import RenderedObject

_TIME = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")


def _quantity(value: object) -> bool:
    """Whether it is one as Kubernetes has them."""
    return (TEXT.fits(value) or WHOLE.fits(value)) and _NUMBER.fullmatch(str(value)) is not None


def _size(value: object) -> bool:
    """The same and more than nothing, as a claim has to ask for."""
    return _quantity(value) and not str(value).startswith("-") and any(digit in "123456789" for digit in str(value))


_COPIED = ("Direct", "None", "Clone", "Snapshot")
_COPY = Shape(f"none of {', '.join(_COPIED)}", "write Snapshot, Clone or Direct", lambda value: value in _COPIED)
_DELETIONS = ("MirrorPrune", "Delete", "WaitForTermination", "Orphan")
_DELETION = Shape(f"none of {', '.join(_DELETIONS)}", "write MirrorPrune, or leave it out", lambda value: value in _DELETIONS)
_DURATION = Shape("a length of time", "write it as in `10m`", lambda value: TEXT.fits(value) and bool(_TIME.fullmatch(value)))
_QUANTITY = Shape("a size", "write it as in `5Gi`", _quantity)
_SIZE = Shape("a size of more than nothing", _QUANTITY.better, _size)
_FLUX = {
    **dict.fromkeys(("spec.interval", "spec.timeout", "spec.retryInterval"), _DURATION), "spec.targetNamespace": TEXT,
    "spec.suspend": TRUTH,
}  # fmt: skip
_KUSTOMIZATION: Fields = {
    **_FLUX, **dict.fromkeys(("spec.prune", "spec.wait", "spec.force"), TRUTH), "spec.path": TEXT, "spec.components": TEXTS,
    "spec.deletionPolicy": _DELETION,
    "spec.dependsOn": MAPPINGS, "spec.sourceRef": MAPPING, "spec.decryption": MAPPING, "spec.patches": MAPPINGS,
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
            ".accessModes": TEXTS, ".moverSecurityContext": MAPPING, ".moverServiceAccount": TEXT,
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
    **_MOVER, "spec.restic.restoreAsOf": TEXT, "spec.restic.previous": WHOLE, "spec.restic.enableFileDeletion": TRUTH,
    "spec.restic.destinationPVC": TEXT,
}  # fmt: skip
_FIELDS: dict[tuple[str, str], Fields] = {
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
        "spec.dataSourceRef": MAPPING, "spec.accessModes": LIST, "spec.storageClassName": TEXT, "spec.volumeName": TEXT,
        "spec.resources": MAPPING, "spec.resources.requests.storage": _SIZE,
    },
}  # fmt: skip


def refused_field(one: RenderedObject) -> tuple[str, str] | None:
    """What keeps the API server from taking this object (`spec.paused is text, not true or false`), and what would be right."""
    found = next(amiss(one.body, _FIELDS.get((one.group, one.kind), {})), None)
    return (f"{dotted(found[0])} {found[1]}", found[2]) if found is not None else None
