"""Values that the API server refuses in what Flux applies, and their neighbours, which it takes."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from house.files import yamlfile
from house.flux.field_names import known_fields, unknown_fields
from house.flux.fields import refused_field
from house.flux.rendered import RenderedObject
from tools.crds import files
from tools.errors import ToolError

KUSTOMIZATION, DESTINATION = "kustomize.toolkit.fluxcd.io/v1 Kustomization", "volsync.backube/v1alpha1 ReplicationDestination"
RELEASE, CLAIM = "helm.toolkit.fluxcd.io/v2 HelmRelease", "v1 PersistentVolumeClaim"


SOURCE = "volsync.backube/v1alpha1 ReplicationSource"
REF = {"kind": "GitRepository", "name": "flux-system"}
WHOLE: dict[str, dict[str, Any]] = {
    KUSTOMIZATION: {
        "interval": "1h", "prune": True, "sourceRef": REF, "decryption": {"provider": "sops"}, "dependsOn": [{"name": "a"}],
        "postBuild": {"substituteFrom": [{"kind": "Secret", "name": "a"}]}, "patches": [{"patch": "a: b"}],
    },
    RELEASE: {
        "interval": "1h", "chartRef": {"kind": "OCIRepository", "name": "a"}, "valuesFrom": [{"kind": "ConfigMap", "name": "a"}],
    },
    CLAIM: {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    DESTINATION: {"trigger": {"manual": "once"}, "restic": {"repository": "a", "capacity": "5Gi"}},
    SOURCE: {"sourcePVC": "a", "restic": {"repository": "a", "retain": {"daily": 7}}},
}  # fmt: skip
"""Specs that are taken."""


def changed(kind: str, path: str, value: Any) -> RenderedObject:
    """One that is taken, but for this field; None takes it out. `x.0` is the first of a list."""
    body: Any = {"spec": deepcopy(WHOLE[kind])}
    inner, (*above, last) = body, path.split(".")
    for key in above:
        inner = inner[int(key)] if isinstance(inner, list) else inner.setdefault(key, {})
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    api, _, name = kind.partition(" ")
    return RenderedObject(api, name, "apps", "one", body, "flux-system/apps", "one.yaml", 1)


def refused(kind: str, path: str, value: Any) -> str:
    """What is said of it, "" where it is taken."""
    found = refused_field(changed(kind, path, value))
    return "; ".join(found) if found else ""


@pytest.mark.parametrize(("kind", "path", "value", "said"), [
    (KUSTOMIZATION, "spec.interval", "banana", "a length of time"), (KUSTOMIZATION, "spec.interval", 60, "a length of time"),
    (KUSTOMIZATION, "spec.retryInterval", "1d", "a length of time"), (RELEASE, "spec.timeout", "5 m", "a length of time"),
    (RELEASE, "spec.interval", "", "a length of time"), (KUSTOMIZATION, "spec.deletionPolicy", "orphan", "none of MirrorPrune"),
    (DESTINATION, "spec.restic.capacity", "5GB", "a size"), (DESTINATION, "spec.restic.cacheCapacity", "5 Gi", "a size"),
    (DESTINATION, "spec.restic.capacity", True, "a size"), (CLAIM, "spec.resources.requests.storage", "lots", "a size"),
    (CLAIM, "spec.resources.requests.storage", "-5Gi", "more than nothing"),
    (CLAIM, "spec.resources.requests.storage", "0Gi", "more than nothing"),
    (CLAIM, "spec.resources.requests.storage", "0e5", "more than nothing"),
    (CLAIM, "spec.accessModes", [], "a list of one at least"),
    (KUSTOMIZATION, "spec.decryption.provider", "age", "none of sops"),
    (KUSTOMIZATION, "spec.decryption.provider", "SOPS", "none of"),
    (KUSTOMIZATION, "spec.sourceRef.kind", "HelmRepository", "none of GitRepository"),
    (KUSTOMIZATION, "spec.targetNamespace", "", "not a namespace"), (RELEASE, "spec.targetNamespace", "a" * 64, "not a namespace"),
    (DESTINATION, "spec.restic.restoreAsOf", "yesterday", "not a time"),
    (DESTINATION, "spec.restic.restoreAsOf", "2026-02-30T00:00:00Z", "not a time"),
    (DESTINATION, "spec.restic.restoreAsOf", "2026-01-31T04:00:00", "not a time"),
    (DESTINATION, "spec.restic.restoreAsOf", "2026-01-31T04:00:00.5+99:99", "not a time"),
    (DESTINATION, "spec.restic.restoreAsOf", 1767225600, "not a time"), (SOURCE, "spec.restic.accessModes", [], "a list of one"),
])  # fmt: skip
def test_what_is_refused_is_told(kind: str, path: str, value: Any, said: str) -> None:
    told = refused(kind, path, value)
    assert told.startswith(f"{path} is ") and said in told


@pytest.mark.parametrize(("kind", "path", "value"), [
    (KUSTOMIZATION, "spec.interval", "1h30m"), (RELEASE, "spec.timeout", "1.5h"), (KUSTOMIZATION, "spec.interval", "500ms"),
    (KUSTOMIZATION, "spec.interval", "${EVERY:-1h}"), (KUSTOMIZATION, "spec.deletionPolicy", "WaitForTermination"),
    (DESTINATION, "spec.restic.capacity", "1.5Ti"), (DESTINATION, "spec.restic.capacity", 1073741824),
    (DESTINATION, "spec.kopia.capacity", "1e9"), (CLAIM, "spec.resources.requests.storage", "100M"),
    (DESTINATION, "spec.restic.restoreAsOf", "2026-01-31T04:00:00.5+01:00"), (KUSTOMIZATION, "spec.sourceRef.kind", "${KIND}"),
    (KUSTOMIZATION, "spec.healthCheckExprs", []), (SOURCE, "spec.kopia", {"repository": "a", "whatever": 1}),
    (CLAIM, "spec.resources.requests.storage", ".5Gi"), (CLAIM, "spec.resources.requests.storage", "10"),
])  # fmt: skip
def test_what_is_taken_is_not(kind: str, path: str, value: Any) -> None:
    assert refused(kind, path, value) == ""


@pytest.mark.parametrize(("kind", "path"), [
    (KUSTOMIZATION, "spec.interval"), (KUSTOMIZATION, "spec.prune"), (KUSTOMIZATION, "spec.sourceRef"),
    (KUSTOMIZATION, "spec.sourceRef.kind"), (KUSTOMIZATION, "spec.sourceRef.name"), (KUSTOMIZATION, "spec.decryption.provider"),
    (KUSTOMIZATION, "spec.dependsOn.0.name"), (KUSTOMIZATION, "spec.postBuild.substituteFrom.0.name"),
    (KUSTOMIZATION, "spec.patches.0.patch"), (RELEASE, "spec.interval"), (RELEASE, "spec.chartRef.kind"),
    (RELEASE, "spec.valuesFrom.0.kind"), (CLAIM, "spec.accessModes"), (CLAIM, "spec.resources"), (CLAIM, "spec.resources.requests"),
    (CLAIM, "spec.resources.requests.storage"),
])  # fmt: skip
def test_what_is_missing_is_told(kind: str, path: str) -> None:
    assert refused(kind, path, None) == f"{re.sub(r'[.]([0-9])', r'[1]', path).replace('[1]', '[0]')} is missing; write it"


def test_a_release_has_one_chart() -> None:
    assert refused(RELEASE, "spec.chartRef", None).startswith("spec has neither chart nor chartRef; ")
    chart = {"spec": {"chart": "a", "sourceRef": {"kind": "HelmRepository", "name": "a"}}}
    assert refused(RELEASE, "spec.chart", chart).startswith("spec has both chart and chartRef; ")


MISSPELT = [
    (KUSTOMIZATION, "spec.dependOn", "dependsOn"), (KUSTOMIZATION, "spec.targetNameSpace", "targetNamespace"),
    (KUSTOMIZATION, "spec.postBuild.substitueFrom", "substituteFrom"),
    (KUSTOMIZATION, "spec.postBuild.substituteFrom.0.Name", "name"),
    (RELEASE, "spec.valueFrom", "valuesFrom"), (SOURCE, "spec.restic.repositry", "repository"),
    (SOURCE, "spec.restic.retain.dayly", "daily"), (SOURCE, "spec.sourcePvc", "sourcePVC"),
    (SOURCE, "spec.trigger.scedule", "schedule"),
    (DESTINATION, "spec.restic.volumeSnapshotClass", "volumeSnapshotClassName"),
    (DESTINATION, "spec.restic.copymethod", "copyMethod"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "near"), MISSPELT)
def test_a_misspelt_field_is_refused_as_flux_applies_it(kind: str, path: str, near: str) -> None:
    told = refused(kind, path, "x")
    assert told == f"{path.replace('.0', '[0]')} is no field of a {kind.split()[1]}; the nearest one is {near}"


def test_a_field_of_a_newer_version_is_told_and_not_called_refused() -> None:
    one = changed(KUSTOMIZATION, "spec.quantumState", "both")
    assert refused_field(one) is None and list(unknown_fields(one)) == [(("spec", "quantumState"), "")]
    older = replace(one, api="kustomize.toolkit.fluxcd.io/v1beta2")
    assert list(unknown_fields(older)) == []


def test_they_are_told_in_the_order_of_the_object() -> None:
    """Not in that of a set, which is another in each run: a note that changes by itself looks like news."""
    keys = ["z", "b", "x", "d", "v", "f"]
    one = changed(KUSTOMIZATION, "spec.z", 1)
    one.body["spec"] |= dict.fromkeys(keys[1:], 1)
    assert [where[-1] for where, _ in unknown_fields(one)] == keys


def definition(kind: str) -> Any:
    """Of a program that is built here."""
    program = {"Kustomization": "kustomize-controller", "HelmRelease": "helm-controller"}.get(kind, "volsync")
    try:
        (file,) = (file for file in files(program) if f"_{kind.lower()}s" in file.name)
    except ToolError as error:
        pytest.skip(str(error))
    return yamlfile.load(file)[0].value


@pytest.mark.parametrize("kind", [KUSTOMIZATION, RELEASE, SOURCE, DESTINATION])
def test_the_names_are_those_of_the_definitions(kind: str) -> None:
    api, _, name = kind.partition(" ")
    (version,) = (one for one in definition(name)["spec"]["versions"] if one["name"] == api.rpartition("/")[2])
    for path, names in known_fields(api, name).items():
        inner = version["schema"]["openAPIV3Schema"]
        for key in filter(None, path.replace("[]", ".[]").split(".")):
            inner = inner["items"] if key == "[]" else inner["properties"][key]
        ours = {"kopia"} if path else {"sops"}  # of a fork; taken out as it is decrypted
        assert names - ours == set(inner["properties"]), path
