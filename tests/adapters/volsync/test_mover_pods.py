"""Pods like the mover's, on real API servers: which repository it opens, and how what came back is compared."""

from __future__ import annotations

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import (
    JOB,
    SECRET,
)
from adapters.volsync.contents import Reader
from adapters.volsync.results import Checked, Sight, Snapshot
from engine.errors import PermanentError
from tests.adapters.volsync.kubelet import NS, Kubelet

pytestmark = pytest.mark.programs

AGAINST = Snapshot("c0ffee", "5" * 64)


def test_which_repository_a_mover_opens_is_told_by_a_pod_that_mounts_no_volume(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str
) -> None:
    client.create(SECRET, {"metadata": {"name": "nas"}, "stringData": {"RESTIC_REPOSITORY": "/n", "RESTIC_PASSWORD": "p"}}, NS)
    kubelet.restic = "echo '{\"id\": \"beef\"}'"
    assert images.identify(NS, destination, "nas") == Sight("beef")
    (job,) = kubelet.jobs
    spec = job["spec"]["template"]["spec"]
    assert spec["containers"][0]["envFrom"] == [{"secretRef": {"name": "nas"}}]
    assert not any("persistentVolumeClaim" in volume for volume in spec["volumes"])
    assert job["metadata"]["name"].startswith("volsync-blackstart-"), "what a house adds to movers is added to it"
    assert spec["securityContext"] == {"runAsUser": 568, "runAsGroup": 568}
    assert client.list_objects(JOB, NS) == []
    client.delete(SECRET, "nas", NS)


def test_a_mover_that_opens_none_says_why_and_makes_none(kubelet: Kubelet, images: Reader, destination: str) -> None:
    kubelet.restic = "case \"$*\" in *init*) touch made;; esac; echo 'Fatal: repository does not exist' >&2; exit 10"
    assert images.identify(NS, destination, "repo") == Sight("", "Fatal: repository does not exist")
    assert len(kubelet.jobs) == 2, "as the mover, then as root"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (None, "Secret contents/other is not in the cluster"),
        ({"RESTIC_REPOSITORY": "/r"}, "Secret contents/other has no RESTIC_PASSWORD"),
        ({"x": "y"}, "Secret contents/other has no RESTIC_REPOSITORY and no RESTIC_PASSWORD"),
    ],
)
def test_what_no_mover_would_start_with_is_told_without_a_pod(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str, keys: dict[str, str] | None, told: str
) -> None:
    if keys is not None:
        client.create(SECRET, {"metadata": {"name": "other"}, "stringData": keys}, NS)
    assert images.identify(NS, destination, "other") == Sight("", told)
    assert kubelet.jobs == []
    client.delete(SECRET, "other", NS)


def test_the_comparing_pod_has_the_movers_way_to_the_repository(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    compared = images.compare(NS, "img", destination, AGAINST)
    job = kubelet.jobs[0]
    name, spec = job["metadata"]["name"], job["spec"]["template"]["spec"]
    # A policy of a house goes by these two: what it adds to movers is added here too, and what delays backups is not.
    assert job["metadata"]["labels"]["app.kubernetes.io/created-by"] == "volsync"
    assert name.startswith("volsync-") and not name.startswith(("volsync-src-", "volsync-dst-"))
    assert job["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "blackstart"
    assert "ownerReferences" not in job["metadata"]
    claims = [v["persistentVolumeClaim"]["claimName"] for v in spec["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [name], "it mounts nothing but a copy that is named like itself"
    container = spec["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "repo"}}]
    env = {e["name"]: e.get("value") for e in container["env"]}
    assert (env["CUSTOM_CA"], env["SNAPSHOT"], env["REPOSITORY_ID"]) == ("/customCA/ca.crt", "5" * 64, "c0ffee")
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert (mounts["custom-ca"], mounts["mover-0"]) == ("/customCA", "/mnt/nas")
    assert container["volumeMounts"][0]["readOnly"] is True
    assert spec["securityContext"] == {"runAsUser": 568, "runAsGroup": 568}
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert job["spec"]["template"]["metadata"]["labels"]["net"] == "store"
    assert not compared.owners_kept
    assert "repo" not in str(env.values())


def test_where_restic_cannot_be_asked_every_file_is_hashed_and_why_is_told(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic = "echo 'Fatal: no route to the store' >&2; exit 1"
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.checked is None and "no route to the store" in compared.problem
    assert compared.listing.complete and all(e.sha256 for e in compared.listing.entries)


def test_another_repository_than_the_snapshots_is_refused_and_never_compared(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic = "echo '{\"id\": \"beef\"}'"
    with pytest.raises(PermanentError, match="another repository") as error:
        images.compare(NS, "img", destination, AGAINST)
    assert error.value.evidence == ("it opens beef", "the restore point is of c0ffee")


def test_what_restic_says_is_read_and_no_file_is_hashed(kubelet: Kubelet, images: Reader, destination: str) -> None:
    kubelet.restic = PLAYED
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.checked == Checked(2, 1, changed=("with space",), surplus=())
    assert {e.sha256 for e in compared.listing.entries} == {""}


PLAYED = """
case "$*" in
  *'cat config'*) echo '{"version": 2,'; echo ' "id": "c0ffee"}' ;;
  *) echo '{"message_type":"verbose_status","action":"unchanged","item":"/a","size":1}'
     echo '{"message_type":"status","percent_done":0}'
     echo '{"message_type":"verbose_status","action":"updated","item":"/with space","size":1}'
     echo '{"message_type":"verbose_status","action":"unchanged","item":"/odd\\nname","size":1}'
     echo '{"message_type":"verbose_status","action":"restored","item":"/folder","size":0}'
     echo '{"message_type":"verbose_status","action":"deleted","item":"'"$PWD"'/lost+found","size":0}'
     echo '{"message_type":"summary","total_files":3}' ;;
esac
"""


def test_a_volume_that_the_mover_cannot_read_is_read_as_root_where_that_is_allowed(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic, kubelet.unreadable = PLAYED, 1
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.listing.complete
    users = [job["spec"]["template"]["spec"]["containers"][0]["securityContext"].get("runAsUser") for job in kubelet.jobs]
    assert users == [None, 0]


@pytest.mark.parametrize("unreadable", [0, 1])
def test_what_else_is_to_be_done_is_done_once_and_while_the_first_pod_works(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str, unreadable: int
) -> None:
    kubelet.restic, kubelet.unreadable = PLAYED, unreadable
    seen: list[int] = []
    images.compare(NS, "img", destination, AGAINST, lambda: seen.append(len(client.list_objects(JOB, NS))))
    assert seen == [1]


def test_what_goes_wrong_meanwhile_ends_the_comparison_and_leaves_no_pod(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str
) -> None:
    kubelet.restic = PLAYED

    def fails() -> None:
        raise PermanentError("the list broke off")

    with pytest.raises(PermanentError, match="the list broke off"):
        images.compare(NS, "img", destination, AGAINST, fails)
    assert client.list_objects(JOB, NS) == []
