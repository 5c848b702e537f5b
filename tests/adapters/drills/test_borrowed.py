"""What of a mover's Secret is lent to a drill as it is, and what is turned."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest

from adapters.drills.borrowed import Lender
from adapters.drills.fence import SCRATCH
from adapters.drills.results import Twist
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import REPLICATION_DESTINATION, SECRET, Kind


class Api:
    """Secrets of the house by namespace/name, and those that were made."""

    def __init__(self, **values: bytes) -> None:
        self.data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        self.made: dict[str, Any] = {}

    def get(self, kind: Kind, name: str, namespace: str) -> Any:
        return {"metadata": {"name": name, "namespace": namespace}, "data": self.data}

    def create(self, kind: Kind, body: Any, namespace: str) -> None:
        assert namespace == SCRATCH
        self.made[body["metadata"]["name"]] = body["data"]


def lent(twist: Twist, *roots: str, **values: bytes) -> dict[str, str]:
    api = Api(**values)
    name = Lender(cast("ApiClient", api), lambda _: ()).copy(SECRET, "apps", "notes", twist, roots)
    return {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in api.made[name].items()}


def test_every_drills_canary_opens_by_one_password_whatever_the_claims_own_is() -> None:
    """Claims take turns, and their repositories have passwords of their own: the canary's is one for all of them."""
    one = lent(Twist.CANARY, RESTIC_REPOSITORY=b"s3:https://store.lan/b/notes", RESTIC_PASSWORD=b"first of them")
    two = lent(Twist.CANARY, RESTIC_REPOSITORY=b"s3:https://store.lan/b/wiki", RESTIC_PASSWORD=b"second of them")
    assert one == two
    assert one["RESTIC_REPOSITORY"] == "s3:https://store.lan/b/blackstart-canary"


def test_a_canary_in_a_mount_that_is_the_repository_lies_within_it() -> None:
    found = lent(Twist.CANARY, "/mnt/nas", RESTIC_REPOSITORY=b"/mnt/nas", RESTIC_PASSWORD=b"third of them")
    assert found["RESTIC_REPOSITORY"] == "/mnt/nas/blackstart-canary"


@pytest.mark.parametrize("twist", list(Twist))
def test_an_address_that_is_no_text_brings_nothing_down(twist: Twist) -> None:
    assert "RESTIC_REPOSITORY" in lent(twist, RESTIC_REPOSITORY=b"/mnt/\xff\xfe/x")


def test_what_is_not_turned_is_lent_as_it_is() -> None:
    assert lent(Twist.NONE, RESTIC_REPOSITORY=b"/mnt/nas/x", RESTIC_PASSWORD=b"fourth of them") == {
        "RESTIC_REPOSITORY": "/mnt/nas/x", "RESTIC_PASSWORD": "fourth of them",
    }  # fmt: skip


class House(Api):
    """A ReplicationDestination of Secret `first`, and beside it Secret `second`."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: list[Any] = []

    def get(self, kind: Kind, name: str, namespace: str = "") -> Any:
        if kind == REPLICATION_DESTINATION:
            return {"spec": {"restic": {"repository": "first", "moverSecurityContext": {"runAsUser": 1000}}}}
        if kind == SECRET:
            at = {"first": b"s3:https://192.0.2.1/b/notes", "second": b"s3:https://192.0.2.2/b/notes"}[name]
            return {"data": {"RESTIC_REPOSITORY": base64.b64encode(at).decode()}}
        return {}

    def list_objects(self, kind: Kind, namespace: str = "") -> list[Any]:
        return []

    def apply(self, kind: Kind, body: Any, namespace: str, *, force: bool) -> None:
        self.applied.append(body)


@pytest.mark.parametrize(("secret", "store"), [("", "192.0.2.1"), ("second", "192.0.2.2")])
def test_a_mover_is_given_the_secret_of_the_place_and_the_fence_is_opened_to_its_store_alone(secret: str, store: str) -> None:
    api = House()
    found = Lender(cast("ApiClient", api), lambda _: ()).borrowed("apps", "notes", secret=secret)
    ((copied,),) = [tuple(one["secretRef"]["name"] for one in found.mover.environment_from)]
    assert base64.b64decode(api.made[copied]["RESTIC_REPOSITORY"]).decode() == f"s3:https://{store}/b/notes"
    assert found.at == (f"{store}:443",)
    assert store in str(api.applied) and len(api.applied) == 1
