"""What a velero Schedule may hold, by the namespaces and resources that it says."""

from __future__ import annotations

from typing import Any

import pytest

from house.values.reach import EVERYWHERE, of_velero


@pytest.mark.parametrize(("template", "holds", "not_of"), [
    ({}, ("apps", "media", ""), ()),
    ({"includedNamespaces": ["*"]}, ("apps", ""), ()),
    ({"includedNamespaces": ["apps"]}, ("apps",), ("media", "")),
    ({"includedNamespaces": ["app*"]}, ("apps",), ("media",)),
    ({"excludedNamespaces": ["media"]}, ("apps", ""), ("media",)),
    ({"includedNamespaces": ["*"], "excludedNamespaces": ["me*"]}, ("apps",), ("media",)),
    ({"includedResources": ["configmaps", "secrets"]}, (), ("apps",)),
    ({"includedResources": ["PersistentVolumeClaims", "secrets"]}, ("apps",), ()),
    ({"includedResources": ["pods"]}, ("apps",), ()),
    ({"excludedResources": ["pvc"]}, (), ("apps",)),
    ({"excludedResources": ["events.events.k8s.io"]}, ("apps",), ()),
    ({"namespaceMapping": {"apps": "restored"}, "includedNamespaces": ["apps"]}, ("apps",), ("restored",)),
    # What is no list says nothing.
    ({"includedNamespaces": "apps", "excludedNamespaces": 7, "includedResources": {}, "excludedResources": [7]}, ("media",), ()),
])  # fmt: skip
def test_it_holds_what_it_copies(template: dict[str, Any], holds: tuple[str, ...], not_of: tuple[str, ...]) -> None:
    reach = of_velero(template)
    assert all(reach.may_hold(one) for one in holds) and not any(reach.may_hold(one) for one in not_of)


def test_one_that_says_nothing_holds_all() -> None:
    assert of_velero({}) == EVERYWHERE
