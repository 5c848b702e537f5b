"""Definitions are found in Go's module cache, and what is not there is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.stubs import FakeGo, script
from tools.crds import files
from tools.errors import DefinitionsMissing
from tools.golang import find_go
from tools.places import Places


def _cache(go: FakeGo, *names: str) -> Path:
    root = go.state / "cache"
    for name in names:
        script(root / "config" / "crd" / name, "kind: CustomResourceDefinition\n")
    return root


def test_the_snapshot_definitions_without_groups_and_without_the_kustomization(
    checkout: Places, fake_go: FakeGo
) -> None:
    root = _cache(
        fake_go,
        "kustomization.yaml",
        "groupsnapshot.storage.k8s.io_volumegroupsnapshots.yaml",
        "snapshot.storage.k8s.io_volumesnapshots.yaml",
        "snapshot.storage.k8s.io_volumesnapshotclasses.yaml",
    )
    found = files("snapshots", places=checkout, go=find_go(fake_go.environment))
    assert [path.relative_to(root / "config" / "crd").name for path in found] == [
        "snapshot.storage.k8s.io_volumesnapshotclasses.yaml",
        "snapshot.storage.k8s.io_volumesnapshots.yaml",
    ]
    (call,) = fake_go.calls("list")
    assert call["cwd"] == str(checkout.modules / "snapshot-controller")


def test_a_module_that_is_not_in_the_cache_is_fetched(checkout: Places, fake_go: FakeGo) -> None:
    with pytest.raises(DefinitionsMissing, match="has changed its layout"):
        files("volsync", places=checkout, go=find_go(fake_go.environment))
    assert [call["arguments"][2] for call in fake_go.calls("mod")] == ["github.com/backube/volsync"]


def test_a_go_that_fails_is_quoted(checkout: Places, fake_go: FakeGo) -> None:
    go = find_go(fake_go.environment)
    script(fake_go.programs / "go", "#!/bin/sh\necho 'no such module' >&2\nexit 1\n")
    with pytest.raises(DefinitionsMissing) as told:
        files("volsync", places=checkout, go=go)
    assert told.value.evidence == ("no such module",)


def test_a_name_that_the_manifest_does_not_hold_is_a_bug(checkout: Places, fake_go: FakeGo) -> None:
    with pytest.raises(KeyError):
        files("flux", places=checkout, go=find_go(fake_go.environment))
