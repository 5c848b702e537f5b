"""Helm's records out of hand-made Secrets."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from adapters.helm.records import kept_by, newest, record_name, state_of
from adapters.helm.results import ReleaseStatus


def record(revision: int, status: str = "deployed", payload: str | None = None) -> dict[str, Any]:
    release = {
        "info": {"description": "Install complete"},
        "chart": {"metadata": {"name": "cilium", "version": "1.17.6"}},
    }
    written = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    labels = {"owner": "helm", "name": "cilium", "status": status, "version": str(revision)}
    name = f"sh.helm.release.v1.cilium.v{revision}"
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels, "uid": "u", "resourceVersion": "7"},
        "data": {"release": written if payload is None else payload},
    }


def test_the_newest_revision_counts_and_not_the_last_in_the_alphabet() -> None:
    found = newest([record(2), record(10), record(9)])
    assert found[("kube-system", "cilium")]["metadata"]["name"].endswith(".v10")


def test_a_record_tells_status_chart_and_what_a_repair_must_match() -> None:
    state = state_of(record(3, "pending-upgrade"), run="run-1", managed_by_flux=False)
    assert (state.status, state.revision, state.pending) == (ReleaseStatus.PENDING_UPGRADE, 3, True)
    assert (state.chart, state.version, state.detail) == ("cilium", "1.17.6", "Install complete")
    assert state.record == "u/7"
    assert record_name(state) == "sh.helm.release.v1.cilium.v3"


@pytest.mark.parametrize(
    "payload", ["", "!", base64.b64encode(b"no base64").decode(), base64.b64encode(base64.b64encode(b"x")).decode()]
)
def test_a_payload_that_cannot_be_read_is_said_so_and_the_status_stands(payload: str) -> None:
    state = state_of(record(1, payload=payload), run="", managed_by_flux=False)
    assert state.status is ReleaseStatus.DEPLOYED
    assert state.detail == "helm's record cannot be read"


def test_a_status_that_is_new_is_other() -> None:
    assert state_of(record(1, "pending-something"), run="", managed_by_flux=False).status is ReleaseStatus.OTHER


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ("ns", "r")),
        ({"releaseName": "x"}, ("ns", "x")),
        ({"targetNamespace": "t"}, ("ns", "t-r")),
        ({"targetNamespace": "t", "releaseName": "x", "storageNamespace": "s"}, ("s", "x")),
        ({"suspend": True}, None),
    ],
)
def test_what_a_helm_release_keeps(spec: dict[str, Any], expected: tuple[str, str] | None) -> None:
    assert kept_by({"metadata": {"name": "r", "namespace": "ns"}, "spec": spec}) == expected
