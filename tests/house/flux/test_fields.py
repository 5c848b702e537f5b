"""Values that the API server refuses in what Flux applies, and their neighbours, which it takes."""

from __future__ import annotations

from typing import Any

import pytest

from house.flux.fields import refused_field
from house.flux.rendered import RenderedObject

KUSTOMIZATION, DESTINATION = "kustomize.toolkit.fluxcd.io/v1 Kustomization", "volsync.backube/v1alpha1 ReplicationDestination"
RELEASE, CLAIM = "helm.toolkit.fluxcd.io/v2 HelmRelease", "v1 PersistentVolumeClaim"


def refused(kind: str, path: str, value: Any) -> str:
    """What is said of an object with this one field, "" where it is taken."""
    body: Any = value
    for key in reversed(path.split(".")):
        body = {key: body}
    api, _, name = kind.partition(" ")
    found = refused_field(RenderedObject(api, name, "apps", "one", body, "flux-system/apps", "one.yaml", 1))
    return "; ".join(found) if found else ""


@pytest.mark.parametrize(("kind", "path", "value", "said"), [
    (KUSTOMIZATION, "spec.interval", "banana", "a length of time"), (KUSTOMIZATION, "spec.interval", 60, "a length of time"),
    (KUSTOMIZATION, "spec.retryInterval", "1d", "a length of time"), (RELEASE, "spec.timeout", "5 m", "a length of time"),
    (RELEASE, "spec.interval", "", "a length of time"), (KUSTOMIZATION, "spec.deletionPolicy", "orphan", "none of MirrorPrune"),
    (DESTINATION, "spec.restic.capacity", "5GB", "a size"), (DESTINATION, "spec.restic.cacheCapacity", "5 Gi", "a size"),
    (DESTINATION, "spec.restic.capacity", True, "a size"), (CLAIM, "spec.resources.requests.storage", "lots", "a size"),
    (CLAIM, "spec.resources.requests.storage", "-5Gi", "more than nothing"),
    (CLAIM, "spec.resources.requests.storage", "0Gi", "more than nothing"),
])  # fmt: skip
def test_what_is_refused_is_told(kind: str, path: str, value: Any, said: str) -> None:
    told = refused(kind, path, value)
    assert told.startswith(f"{path} is ") and said in told


@pytest.mark.parametrize(("kind", "path", "value"), [
    (KUSTOMIZATION, "spec.interval", "1h30m"), (RELEASE, "spec.timeout", "1.5h"), (KUSTOMIZATION, "spec.interval", "500ms"),
    (KUSTOMIZATION, "spec.interval", "${EVERY:-1h}"), (KUSTOMIZATION, "spec.deletionPolicy", "WaitForTermination"),
    (DESTINATION, "spec.restic.capacity", "1.5Ti"), (DESTINATION, "spec.restic.capacity", 1073741824),
    (DESTINATION, "spec.kopia.capacity", "1e9"), (CLAIM, "spec.resources.requests.storage", "100M"),
    (CLAIM, "spec.resources.requests.storage", ".5Gi"), (CLAIM, "spec.resources.requests.storage", "10"),
])  # fmt: skip
def test_what_is_taken_is_not(kind: str, path: str, value: Any) -> None:
    assert refused(kind, path, value) == ""
