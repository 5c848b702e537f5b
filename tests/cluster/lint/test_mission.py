"""The house that this is made for, unchanged: its true paradoxes and risks, and nothing that is not so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cluster.lint.finding import Weight
from cluster.lint.given import Given
from cluster.lint.lint import lint
from house.model import House
from tests.cluster.lint.made import NOW
from tests.house.reading import BUILDER, load
from tests.houses.filled import filled
from tests.houses.mission import HOUSE

NAS = f"""nas:
  truenas:
    url: wss://10.10.0.22
    fingerprint: "{":".join(["AB"] * 32)}"
    username: blackstart
    api_key: file:nas-key
    vm: 105
    exports: [/mnt/vault/cluster/volsync]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    if not HOUSE.is_dir():
        pytest.skip("the house's files are not here")
    settings = filled(HOUSE, tmp_path_factory.mktemp("mission"), BUILDER)
    settings.write_text(f"{settings.read_text()}\n{NAS}")
    return load(settings)


def test_its_paradoxes_and_risks_are_found_and_no_other(house: House) -> None:
    findings = lint(Given(house, NOW))
    assert [(one.rule, one.subject) for one in findings if one.weight is Weight.PARADOX] == [
        ("nas-on-its-hosts", "NAS truenas"),
        ("secrets-gate-storage", "ClusterSecretStore onepassword"),
        ("keys-in-the-cloud", "ClusterSecretStore onepassword"),
        ("dns-inside", "HelmRelease network/k8s-gateway"),
        ("mirror-inside", "HelmRelease kube-system/spegel"),
        ("dead-man-inside", "observability/alertmanager"),
    ]
    risks = Counter(one.rule for one in findings if one.weight is Weight.RISK)
    assert risks == {"external-dns-deletes": 2, "tag-behind-a-mirror": 1}
    assert [one for one in findings if one.weight is Weight.UNKNOWN] == []
    notes = Counter(one.rule for one in findings if one.weight is Weight.NOTE)
    assert notes == {"console-behind-the-cluster": 1, "certificates-anew": 1}


def test_each_says_where(house: House) -> None:
    for one in lint(Given(house, NOW)):
        file, _, line = one.declared_in.rpartition(":")
        assert (house.root / file).is_file(), one
        assert line.isdecimal(), one


def test_without_a_word_about_its_nas_nobody_says_that_it_is_a_machine(house: House) -> None:
    (one,) = [one for one in lint(Given(replace(house, nas=()), NOW)) if one.rule == "nas-on-its-hosts"]
    assert one.weight is Weight.UNKNOWN
