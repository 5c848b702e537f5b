"""What the stand-in of flux-operator makes is marked as `flux check`, `version` and `logs` look for it."""

from __future__ import annotations

from lab.parts.fluxoperator import marks, wanted_by
from lab.parts.kube import DEPLOYMENTS


def test_every_controller_and_its_pods_are_part_of_flux() -> None:
    made = [item for resource, item in wanted_by({"spec": {}}, "flux-system") if resource is DEPLOYMENTS]
    assert [item["metadata"]["name"] for item in made] == ["source-controller", "kustomize-controller", "helm-controller"]
    for item in made:
        pods = item["spec"]["template"]["metadata"]["labels"]
        wanted = marks("flux-system") | {"app": item["metadata"]["name"], "app.kubernetes.io/component": item["metadata"]["name"]}
        assert item["metadata"]["labels"] == pods == wanted
        assert item["spec"]["selector"]["matchLabels"] == {"app": item["metadata"]["name"]}
    assert marks("flux-system")["app.kubernetes.io/part-of"] == "flux"
