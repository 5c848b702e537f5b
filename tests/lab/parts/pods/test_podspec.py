"""What a kubelet makes of a container's words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.parts.kube import CONFIG_MAPS, SECRETS, Object, Resource
from lab.parts.pods.podspec import NotYet, PodSpec, expanded


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
    found = PodSpec(get, pod, tmp_path, tmp_path, {}, lambda _: "").environment({"env": variables})
    assert found == {"EARLY": "$(LATE)", "KEY": "$$(WORD)", "LATE": "$(LATE)$"}


def test_a_projected_volume_is_laid_out_for_the_pods_group(tmp_path: Path) -> None:
    """A token of its own account, the cluster's authority, and a Secret's one key: what a pod needs that talks to the API."""
    objects = {
        (CONFIG_MAPS, "kube-root-ca.crt"): {"data": {"ca.crt": "authority", "other": "x"}},
        (SECRETS, "keys"): {"data": {"key": "c2VjcmV0"}},
    }

    def get(resource: Resource, name: str, namespace: str) -> Object:
        return objects[resource, name]

    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 86400}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"secret": {"name": "keys"}},
    ]
    projected = {"sources": sources, "defaultMode": 0o440}
    spec = {"securityContext": {"fsGroup": 4711}, "volumes": [{"name": "v", "projected": projected}]}
    pod: Object = {"metadata": {"name": "pod", "namespace": "space"}, "spec": spec}
    container = {"volumeMounts": [{"name": "v", "mountPath": "/there", "readOnly": True}]}
    (mount,) = PodSpec(get, pod, tmp_path, tmp_path, {}, lambda seconds: f"for {seconds} s").mounts(container)
    there = {path.name: path for path in mount.source.iterdir()}
    assert {name: path.read_text() for name, path in there.items()} == {
        "token": "for 86400 s", "ca.crt": "authority", "key": "secret"
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in there.values()} == {0o440}
    if os.geteuid() == 0:
        assert {path.stat().st_gid for path in there.values()} == {4711}


def test_the_token_that_the_api_server_adds_to_every_pod_is_not_made(tmp_path: Path) -> None:
    added = {"name": "kube-api-access-x7k2p", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    pod: Object = {"metadata": {"name": "pod", "namespace": "s"}, "spec": {"volumes": [added]}}
    spec = PodSpec(lambda *_: None, pod, tmp_path, tmp_path, {}, lambda _: "a token")
    assert spec.mounts({"volumeMounts": [{"name": added["name"], "mountPath": "/there"}]}) == []


def test_a_volume_that_the_lab_cannot_make_keeps_its_pod_waiting(tmp_path: Path) -> None:
    projected = {"sources": [{"clusterTrustBundle": {"path": "x"}}]}
    pod: Object = {"metadata": {"name": "pod", "namespace": "s"}, "spec": {"volumes": [{"name": "v", "projected": projected}]}}
    spec = PodSpec(lambda *_: None, pod, tmp_path, tmp_path, {}, lambda _: "")
    with pytest.raises(NotYet, match="clusterTrustBundle"):
        spec.mounts({"volumeMounts": [{"name": "v", "mountPath": "/there"}]})
