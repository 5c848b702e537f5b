"""What a kubelet makes of a container's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.parts.kube import SECRETS, Object, Resource
from lab.parts.podspec import PodSpec, expanded


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Foo$$x", "Foo$x"),
        ("$(WORD)-$(ABSENT)", "here-$(ABSENT)"),
        ("$$(WORD)", "$(WORD)"),
        ("$$$(WORD)", "$here"),
        ("$WORD ${WORD} 5$", "$WORD ${WORD} 5$"),
    ],
)
def test_dollars_are_read_as_kubernetes_reads_them(text: str, made: str) -> None:
    assert expanded(text, {"WORD": "here"}) == made


def test_a_variable_sees_those_before_it_and_a_secret_is_taken_as_it_is(tmp_path: Path) -> None:
    def get(resource: Resource, name: str, namespace: str) -> Object:
        assert (resource, name) == (SECRETS, "keys")
        return {"data": {"key": "JCQoV09SRCk="}}  # $$(WORD)

    pod: Object = {"metadata": {"name": "pod", "namespace": "space"}, "spec": {}}
    variables = [
        {"name": "EARLY", "value": "$(LATE)"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}},
        {"name": "LATE", "value": "$(EARLY)$$"},
    ]
    found = PodSpec(get, pod, tmp_path, tmp_path, {}).environment({"env": variables})
    assert found == {"EARLY": "$(LATE)", "KEY": "$$(WORD)", "LATE": "$(LATE)$"}
