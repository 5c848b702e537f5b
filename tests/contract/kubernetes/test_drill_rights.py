"""The manifests of a drill inside the cluster, on a real API server: every right that it needs, and none besides."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.drills.fence import SCRATCH
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import CONFIG_MAP, NAMESPACE, SECRET, Kind
from console.schedule.cronjob import CronJob, manifests
from console.schedule.rights import ACCOUNT, LEASES, rights
from console.schedule.units import OWN, Every
from engine.secrets import Secret
from house.model import House, SecretRef
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers, needed, program

pytestmark = pytest.mark.programs
WHO = f"system:serviceaccount:{OWN}:{ACCOUNT}"
REVIEW = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
REFUSED = 403
LACKING = (
    ("get", "", "secrets", "apps", "another"), ("list", "", "secrets", "apps", ""), ("get", "", "secrets", SCRATCH, "mover-1"),
    ("delete", "", "namespaces", "apps", "apps"), ("patch", "apps", "deployments", "apps", "notes"),
    ("create", "", "pods", "apps", ""), ("create", "", "pods/exec", "apps", "notes-0"),
    ("delete", "", "persistentvolumes", "", "pv-1"), ("update", "coordination.k8s.io", "leases", LEASES, "blackstart-5f1d7c2a9e"),
    ("update", "", "configmaps", LEASES, "hold"), ("create", "rbac.authorization.k8s.io", "clusterrolebindings", "", ""),
    ("delete", "volsync.backube", "replicationsources", "apps", "notes"),
)  # fmt: skip


@dataclass
class Desk:
    """The API as its admin has it and as the drill's account does."""

    house: House
    admin: ApiClient
    drill: ApiClient

    def may(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Whether the account may."""
        kind, _, sub = resource.partition("/")
        asked = {"verb": verb, "group": group, "resource": kind, "subresource": sub, "namespace": namespace, "name": name}
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{OWN}", "system:authenticated"]
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": {"user": WHO, "groups": groups, "resourceAttributes": asked}}  # fmt: skip
        status: Any = self.admin.demand("POST", REVIEW, "ask what the drill may", body=body)["status"]
        return bool(status["allowed"])

    def wrote(self, kind: Kind, name: str, namespace: str) -> tuple[int, str]:
        """What the API says when the account makes this object: tried, and made nowhere."""
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}}
        answer = self.drill.ask("POST", kind.path(namespace), "try", params={"dryRun": "All"}, body=body)
        return answer.code, answer.body.decode()


@pytest.fixture(scope="module")
def desk(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    needed("kubectl")
    folder = tmp_path_factory.mktemp("drill-rights")
    found = house_on(real_api, folder)
    key = SecretRef((f"file:{found.root}/age.key",))
    house = replace(found, settings_file=found.root / "blackstart.yaml", state_dir=found.root / "state", age_key=key)
    clients = Clients(found)
    admin = clients.main()
    for name in ("apps", LEASES, SCRATCH):
        try:
            admin.create(NAMESPACE, {"metadata": {"name": name}})
        except AlreadyThere:
            continue
    file = folder / "cronjob.yaml"
    file.write_text(manifests(CronJob(house, Every.WEEKLY, "registry.invalid/blackstart:1", Path("/checkout"))))
    kubectl = [str(program("kubectl")), f"--kubeconfig={real_api.kubeconfig}"]
    subprocess.run([*kubectl, "apply", "-f", str(file)], check=True, capture_output=True)
    path = f"/api/v1/namespaces/{OWN}/serviceaccounts/{ACCOUNT}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token: Any = admin.demand("POST", path, "ask for a token", body=request)["status"]
    drill = admin.as_bearer(Secret(token["token"]))
    yield Desk(house, admin, drill)
    drill.close()
    clients.close()


def test_what_a_drill_needs_it_may(desk: Desk) -> None:
    lacking = [
        (verb, right)
        for right in rights(desk.house) for resource in right.resources for verb in right.verbs for name in right.names or ("",)
        if not desk.may(verb, right.group, resource, right.namespace or SCRATCH, name)
    ]  # fmt: skip
    assert lacking == []


@pytest.mark.parametrize("asked", LACKING, ids=lambda asked: " ".join(filter(None, asked)))
def test_what_it_does_not_need_it_may_not(desk: Desk, asked: tuple[str, str, str, str, str]) -> None:
    assert not desk.may(*asked)


def test_no_right_is_granted_by_a_wider_one_already(desk: Desk) -> None:
    """One for every namespace or every name grants what one for some does, so that the table holds nothing for nothing."""
    granted = [
        (right.namespace, right.group, resource, verb, name)
        for right in rights(desk.house) for resource in right.resources for verb in right.verbs for name in right.names or ("",)
    ]  # fmt: skip
    for of in granted:
        wider = [one for one in granted if one[1:4] == of[1:4] and one[0] in ("", of[0]) and one[4] in ("", of[4])]
        assert wider == [of]


def test_a_write_outside_of_its_namespaces_is_refused_by_the_policy(desk: Desk) -> None:
    deadline = time.monotonic() + 90
    code, told = desk.wrote(CONFIG_MAP, "strange", "apps")
    while code != REFUSED and time.monotonic() < deadline:  # an API server takes a policy up within a second or so
        time.sleep(0.2)
        code, told = desk.wrote(CONFIG_MAP, "strange", "apps")
    assert code == REFUSED
    assert "writes nothing outside" in json.loads(told)["message"]
    assert desk.wrote(SECRET, "strange", "apps")[0] == REFUSED
    assert desk.wrote(NAMESPACE, "strange", "")[0] == REFUSED
    assert desk.wrote(CONFIG_MAP, "own", SCRATCH)[0] == 201
    assert desk.wrote(SECRET, "own", SCRATCH)[0] == 201
    assert desk.wrote(NAMESPACE, "blackstart-canary", "")[0] in (201, 409)


def test_a_read_of_a_strange_secret_is_refused(desk: Desk) -> None:
    assert desk.drill.ask("GET", SECRET.path("apps", "another"), "try").code == REFUSED
    assert desk.drill.ask("GET", SECRET.path("apps"), "try").code == REFUSED
    named = desk.house.claims[0].repository_secret
    assert desk.drill.ask("GET", SECRET.path("apps", named), "try").code == 404
