"""Where a place is asked for, and what a house can do without it: what nobody knows is neither this machine nor there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.lint.needs import Means, Stage, host_of, needs_of
from cluster.lint.pulls import pulls_of
from cluster.lint.without import Run, Standing, without
from tests.builders import a_house
from tests.cluster.lint.made import a_given, found, route

HOSTS = {
    "s3:https://s3.lan:9000/bucket/x": "s3.lan",
    "s3:s3.amazonaws.com/bucket": "s3.amazonaws.com",
    "sftp:u@nas.lan:/b": "nas.lan",
    "sftp:nas:/b/c": "nas",
    "sftp:nas.lan:b/c": "nas.lan",
    "sftp://u@nas.lan:22//b": "nas.lan",
    "sftp://u@nas.lan//b": "nas.lan",
    "sftp://nas.lan/b": "nas.lan",
    "sftp:u@[fd00::1]:/b": "fd00::1",
    "sftp://u@[fd00::1]:22/b": "fd00::1",
    "rest:https://u@rest.lan:8000/x/": "rest.lan",
    "/mnt/b": "",
    "./b": "",
    "git@git.lan:anna/home.git": "git.lan",
    "ghcr.io/anna/x:1": "ghcr.io",
    "oci://ghcr.io/${OWNER}/charts": "ghcr.io",
    "s3:https://s3.lan/${BUCKET}": "s3.lan",
    "https://${HOST}/x": "",
}


@pytest.mark.parametrize("place", list(HOSTS))
def test_the_host_of_a_place(place: str) -> None:
    assert host_of(place) == HOSTS[place]


@pytest.mark.parametrize("place", ["b2:bucket:x", "gs:bucket:/x", "azure:box:/x", "swift:box:/x", "rclone:far:x"])
def test_a_store_that_names_no_host_is_not_this_machine(place: str) -> None:
    given = a_given()
    (claim, *_) = given.house.claims
    claim = replace(claim, open_as="", mover_repository=place)
    (need,) = [one for one in needs_of(replace(given, house=replace(given.house, claims=(claim,)))) if one.item]
    assert need.means not in (Means.HERE, Means.INSIDE, Means.NETWORK)


def test_an_image_of_one_node_is_asked_for_where_that_node_says_so(tmp_path: Path) -> None:
    """Both rules that tell a line, and the words for what a person may write there."""
    house, settings = a_house(), tmp_path / "blackstart.yaml"
    settings.write_text("image:\n  schematic: ab\nnodes:\n  w-1:\n    image:\n      url: https://pics.house.net/x.qcow2\n")
    own = replace(house.image, url="https://pics.house.net/x.qcow2", filename="x.qcow2", label="ab12")
    nodes = tuple(replace(node, image=own) if node.name == "w-1" else node for node in house.nodes)
    changes: dict[str, object] = {"settings_file": settings, "nodes": nodes}
    given = a_given(**changes)
    asked = {one.host: one.declared_in for one in needs_of(given) if one.stage is Stage.IMAGE}
    assert asked == {host_of(house.image.url): "blackstart.yaml:1", "pics.house.net": "blackstart.yaml:5"}
    (one,) = found("reached-through-the-cluster", route("pics", "pics.house.net"), **changes)
    assert one.declared_in == "blackstart.yaml:5"
    assert [one.served for one in pulls_of(given) if one.what == own.url] == [
        "a host that has it already; or nodes.w-1.image.volume, once a person has put it there"
    ]


def test_what_kopia_backs_up_is_a_need_as_well() -> None:
    given = a_given()
    (claim, *_) = given.house.claims
    claim = replace(claim, open_as="s3:https://s3.far.example.com/b", engine="kopia", identity="a@b:/data")
    given = replace(given, house=replace(given.house, claims=(), kopia=(claim,)))
    needs = needs_of(given)
    assert [one.item for one in needs if one.stage is Stage.BACKUPS and one.item] == [claim.key]
    gone = {one.run: one.standing for one in without(given, needs) if one.without == "the internet"}
    assert gone[Run.AUDIT] is Standing.NO
    assert gone[Run.REHEARSE] is not Standing.NO, "nothing of kopia's is rehearsed"


@pytest.mark.parametrize(("place", "standing"), [("rclone:far:x", Standing.UNKNOWN), ("b2:bucket:x", Standing.NO)])
def test_what_nobody_knows_the_place_of_may_be_on_the_internet(place: str, standing: Standing) -> None:
    given = a_given()
    claim = replace(given.house.claims[0], open_as=place, mover_repository="")
    given = replace(given, house=replace(given.house, claims=(claim,), archives=()))
    (row,) = [one for one in without(given, needs_of(given)) if (one.without, one.run) == ("the internet", Run.AUDIT)]
    assert row.standing is standing
    assert standing is not Standing.UNKNOWN or row.why == "on which machine rclone:far is, where backups are, nobody says"


SOURCE = """---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: charts}
spec: {url: URL}
"""


@pytest.mark.parametrize(("url", "means", "host"), [
    ("oci://ghcr.io/anna/charts", Means.INTERNET, "ghcr.io"), ("oci://ghcr.io/${OWNER}/charts", Means.INTERNET, "ghcr.io"),
    ("oci://${REGISTRY}/charts", Means.UNTOLD, "${REGISTRY}"), ("${URL}", Means.UNTOLD, "${URL}"),
])  # fmt: skip
def test_a_source_of_flux_is_a_need_whatever_of_it_is_in_a_variable(url: str, means: Means, host: str) -> None:
    found = [one for one in needs_of(a_given(SOURCE.replace("URL", f"'{url}'", 1))) if one.what == "charts and sources of Flux"]
    assert [(one.means, one.host) for one in found] == [(means, host)]


KOPIUR = """
apiVersion: kopiur.home-operations.com/v1alpha1
kind: Repository
metadata: {name: all}
spec: {backend: {s3: {bucket: b, endpoint: 'minio.apps.svc:9000'}}}
---
apiVersion: kopiur.home-operations.com/v1alpha1
kind: SnapshotPolicy
metadata: {name: diary}
spec: {repository: {name: all}, sources: [{pvc: {name: diary}}]}
"""


def test_what_kopia_keeps_in_the_cluster_is_a_paradox_too() -> None:
    (one,) = found("backups-inside", KOPIUR)
    assert one.subject == "claim apps/diary" and "minio.apps.svc" in one.what
    assert found("backups-inside", KOPIUR.replace("minio.apps.svc:9000", "s3.lan")) == []
