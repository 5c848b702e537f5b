"""What an API lists becomes programs, objects, what Flux applied, and public halves of age keys."""

from __future__ import annotations

import base64
from typing import Any, cast

from adapters.age.adapter import Age
from adapters.components.adapter import KubernetesComponents
from adapters.components.reading import epoch, repository_of
from adapters.components.results import AgeKey, Applied, Ask, Status
from adapters.kubernetes.client import Clients
from engine.secrets import Secret

Object = dict[str, Any]
ISSUER = Ask("cert-manager.io", "issuers", "Issuer", ("spec.acme.server", "spec.names[].dns", "spec.retain"), ("v1", "v1beta1"))
DISCOVERY = {
    "/api": {"items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [
        {"resource": "persistentvolumeclaims", "scope": "Namespaced", "responseKind": {"kind": "PersistentVolumeClaim"}}]}]}]},
    "/apis": {"items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
        {"resource": "deployments", "scope": "Namespaced", "responseKind": {"kind": "Deployment"}}]}]}]},
}  # fmt: skip


class Stored:
    """Objects by the path of their collection; a path that is not there is not served."""

    def __init__(self, objects: dict[str, list[Object]]) -> None:
        self._objects = objects

    def main(self) -> Stored:
        return self

    def list_objects(self, kind: Any) -> list[Object]:
        return self._objects.get(kind.path(), [])

    def list_if_served(self, kind: Any) -> list[Object] | None:
        return self._objects.get(kind.path())

    def get(self, kind: Any, name: str, namespace: str) -> Object | None:
        found = (one for one in self._objects.get(kind.path(), []) if one["metadata"] == {"name": name, "namespace": namespace})
        return next(found, None)

    def demand(self, method: str, path: str, what: str, accept: str) -> Object:
        return DISCOVERY[path]


class Halves:
    """An age-keygen that derives `age1` and the first letters."""

    def __init__(self) -> None:
        self.asked = 0

    def public(self, identity: Secret) -> frozenset[str]:
        self.asked += 1
        text = identity.reveal()
        return frozenset({f"age1{text[-1].lower()}"}) if text.startswith("AGE-SECRET-KEY") else frozenset()


def components(objects: dict[str, list[Object]], halves: Halves | None = None) -> KubernetesComponents:
    return KubernetesComponents(cast("Clients", Stored(objects)), cast("Age", halves or Halves()))


def named(name: str, namespace: str = "net", **body: Any) -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, **body}


def test_a_workload_is_told_with_its_release_its_images_and_what_it_lacks() -> None:
    pod = {"containers": [{"image": "registry:5000/a/app:v1@sha256:00"}], "initContainers": [{"image": "b/init"}]}
    item: Object = {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "app", "namespace": "net", "ownerReferences": [{"controller": True}],
            "annotations": {"meta.helm.sh/release-name": "it", "meta.helm.sh/release-namespace": "net"},
            "labels": {"kustomize.toolkit.fluxcd.io/name": "ks", "kustomize.toolkit.fluxcd.io/namespace": "flux"},
        },
        "spec": {"replicas": 3, "template": {"spec": pod}}, "status": {"readyReplicas": 1},
    }  # fmt: skip
    (found,) = components({"/apis/apps/v1/deployments": [item]}).programs()
    assert (found.key, found.release, found.kustomization) == ("net/app", "net/it", "flux/ks")
    assert found.images == ("registry:5000/a/app", "b/init")
    assert (found.wanted, found.lacks, found.owned, found.status) == (3, 2, True, Status.IN_PROGRESS)


def test_an_image_loses_tag_and_digest_and_nothing_else() -> None:
    told = {"a": "a", "a:1": "a", "h:5000/a": "h:5000/a", "h:5000/a/b:1@sha256:0": "h:5000/a/b"}
    assert {image: repository_of(image) for image in told} == told


def test_of_an_object_only_what_was_asked_for_is_told() -> None:
    spec = {"acme": {"server": "https://acme"}, "names": [{"dns": "a"}, {"dns": "b"}], "retain": {"daily": 7}}
    ready = [{"type": "Ready", "status": "False", "reason": "Bad", "message": "line\none"}]
    item = named("one", spec=spec, status={"conditions": ready})
    (found,) = components({"/apis/cert-manager.io/v1/issuers": [item]}).objects(ISSUER) or ()
    assert [found.says(path) for path in ISSUER.fields] == ["https://acme", "a b", "daily"]
    condition = found.condition("Ready")
    assert condition is not None
    assert (condition.good, condition.why, found.condition("Other")) == (False, "Bad: line one", None)


def test_an_older_version_is_taken_where_the_newer_is_not_served_and_none_is_none() -> None:
    older, newer = {"/apis/cert-manager.io/v1beta1/issuers": [named("old")]}, {"/apis/cert-manager.io/v1/issuers": [named("new")]}
    assert [one.name for one in components(older).objects(ISSUER) or ()] == ["old"]
    assert [one.name for one in components(older | newer).objects(ISSUER) or ()] == ["new"]
    assert components({"/apis/cert-manager.io/v1/issuers": []}).objects(ISSUER) == ()
    assert components({}).objects(ISSUER) is None


def test_what_flux_applied_is_held_against_what_is_there() -> None:
    entries = [
        {"id": "net_app_apps_Deployment", "v": "v1"}, {"id": "net_gone_apps_Deployment", "v": "v1"},
        {"id": "net_data__PersistentVolumeClaim", "v": "v1"}, {"id": "net_conf__ConfigMap", "v": "v1"},
        {"id": "_a__b_rbac.authorization.k8s.io_ClusterRole", "v": "v1"}, {"id": "net_x_old.io_Thing", "v": "v1"},
    ]  # fmt: skip
    owner = named("ks", "flux", status={"inventory": {"entries": entries}})
    silent = named("mute", "flux", status={"lastAppliedRevision": "main@sha1:00"})
    seen = components({
        "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations": [owner, silent],
        "/apis/apps/v1/deployments": [named("app", spec={"replicas": 1})],
        "/api/v1/persistentvolumeclaims": [named("data", status={"phase": "Bound"})],
    }).applied()  # fmt: skip
    told = {(one.kind, one.name): (one.there, one.status) for one in seen.objects}
    assert told == {
        ("Deployment", "app"): (True, Status.IN_PROGRESS), ("Deployment", "gone"): (False, Status.CURRENT),
        ("PersistentVolumeClaim", "data"): (True, Status.CURRENT),
    }  # fmt: skip
    assert (seen.unlisted, seen.unserved, seen.silent) == (2, ("Thing of old.io",), ("flux/mute",))
    assert seen.objects[0].kustomization == "flux/ks"
    assert Applied("k", "", "Node", "", "w-1").key == "w-1"


def test_a_name_with_a_colon_is_read_out_of_an_inventory() -> None:
    from adapters.components.inventory import entries

    line = {"id": "_system__node__x_rbac.authorization.k8s.io_Role", "v": "v1"}
    owner = named("ks", "flux", status={"inventory": {"entries": [line]}})
    (found,) = entries(owner)
    assert (found.namespace, found.name, found.group, found.kind) == ("", "system:node:x", "rbac.authorization.k8s.io", "Role")


def test_each_age_key_is_told_by_its_public_half_and_derived_once() -> None:
    def ks(name: str, namespace: str, secret: str) -> Object:
        return named(name, namespace, spec={"decryption": {"secretRef": {"name": secret}}})

    def secret(name: str, namespace: str, **data: str) -> Object:
        return named(name, namespace, data={key: base64.b64encode(value.encode()).decode() for key, value in data.items()})

    halves = Halves()
    key = {"age.agekey": "AGE-SECRET-KEY-1TESTONLYA"}
    objects = {
        "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations": [
            ks("a", "apps", "sops-age"), ks("b", "apps", "sops-age"), ks("c", "net", "sops-age"), ks("d", "lost", "sops-age"),
            ks("e", "odd", "sops-age"), named("f", "apps"),
        ],
        "/api/v1/secrets": [
            secret("sops-age", "apps", **key), secret("sops-age", "net", **key), secret("sops-age", "odd", key="AGE-x"),
        ],
    }  # fmt: skip
    assert components(objects, halves).age_keys() == (
        AgeKey("apps", "sops-age", ("apps/a", "apps/b"), recipients=frozenset({"age1a"})),
        AgeKey("lost", "sops-age", ("lost/d",), there=False),
        AgeKey("net", "sops-age", ("net/c",), recipients=frozenset({"age1a"})),
        AgeKey("odd", "sops-age", ("odd/e",)),
    )
    assert halves.asked == 1


def test_a_time_without_its_zone_is_none() -> None:
    assert epoch("1970-01-01T00:01:00Z") == 60.0
    assert epoch("1970-01-01T00:01:00") is None
    assert epoch("") is None
