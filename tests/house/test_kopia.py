"""What kopia backs up, as Git declares it: whose snapshots, in which repository, and which of it a rule of the settings opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.kopia import kopia_backups, place_of
from house.left_out import left_out
from house.model import House
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository
from tests.house.test_data import rendered

SECRET = """kind: Secret
metadata: {name: store}
stringData: {KOPIA_REPOSITORY: "WHERE", KOPIA_S3_ENDPOINT: "s3.example.org", KOPIA_PASSWORD: not-read}"""
KOPIUR = "apiVersion: kopiur.home-operations.com/v1alpha1\n"
POLICY = """kind: SnapshotPolicy
metadata: {name: wiki}
spec: {repository: {kind: ClusterRepository, name: nas}, sources: [SOURCE]MORE}"""
NAS = "kind: ClusterRepository\nmetadata: {name: nas}\nspec: {backend: BACKENDMORE}"
RULE = """  open_as:
    - seen: /repository
      open: /mnt/kopia
      password: env:KOPIA_PASSWORD
"""


def source(name: str, more: str = "") -> str:
    return (
        f"apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {{name: {name}}}\n"
        f"spec: {{sourcePVC: films, kopia: {{repository: store{more}}}}}"
    )


@pytest.mark.parametrize(
    ("name", "more", "identity"),
    [
        ("films", "", "films@tools:/data"),
        ("films-src", "", "films-src@tools:/data"),
        ("films.daily", "", "filmsdaily@tools:/data"),
        ("f" * 60, "", f"{'f' * 50}@tools:/data"),
        ("films", ", username: films_1, hostname: cluster.one", "films_1@cluster.one:/data"),
        ("films", ", sourcePathOverride: /config", "films@tools:/config"),
    ],
)
def test_whose_snapshots_they_are_is_told_as_the_fork_makes_it(name: str, more: str, identity: str) -> None:
    (found,) = kopia_backups(rendered(SECRET.replace("WHERE", "filesystem:///repository"), source(name, more)))
    assert (found.identity, found.seen, found.claim) == (identity, "/repository", "films")


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        ("filesystem:///repository", "/repository"),
        ("filesystem:///repository/", "/repository"),
        ("s3://bucket/path", "s3:https://s3.example.org/bucket/path"),
        ("s3://bucket", "s3:https://s3.example.org/bucket"),
        ("b2://bucket", "b2://bucket"),
    ],
)
def test_where_it_lies_is_told_in_the_words_of_the_rules(where: str, seen: str) -> None:
    (found,) = kopia_backups(rendered(SECRET.replace("WHERE", where), source("films")))
    assert found.seen == seen
    assert place_of("s3://bucket/path") == "s3://bucket/path", "no endpoint is made up"


def test_a_secret_that_git_does_not_show_is_said() -> None:
    (found,) = kopia_backups(rendered(source("films")))
    assert (found.seen, found.note) == ("", "no Secret or ExternalSecret tools/store is in the repository")


@pytest.mark.parametrize(
    ("one", "backend", "more", "identity", "seen"),
    [
        ("{pvc: {name: films}}", "{filesystem: {path: /repo}}", "", "wiki@tools:/pvc/films", "/repo"),
        ("{pvc: {name: films}, sourcePathOverride: /data}", "{filesystem: {path: /repo}}", "", "wiki@tools:/data", "/repo"),
        (
            "{pvc: {name: films}}", "{filesystem: {path: /repo, volume: {nfs: {server: nas.lan, path: /tank/kopia}}}}",
            ", identity: {username: a, hostname: b}", "a@b:/pvc/films", "nfs://nas.lan/tank/kopia",
        ),
        (
            "{pvc: {name: films}}", "{s3: {bucket: b, prefix: p/, endpoint: s3.lan, tls: {disableTls: true}}}", "",
            "wiki@tools:/pvc/films", "s3:http://s3.lan/b/p",
        ),
        ("{pvc: {name: films}}", "{azure: {container: c}}", "", "wiki@tools:/pvc/films", ""),
    ],
)  # fmt: skip
def test_a_policy_of_kopiur_and_its_repository(one: str, backend: str, more: str, identity: str, seen: str) -> None:
    policy = KOPIUR + POLICY.replace("SOURCE", one).replace("MORE", more)
    (found,) = kopia_backups(rendered(policy, KOPIUR + NAS.replace("BACKEND", backend).replace("MORE", "")))
    assert (found.identity, found.seen) == (identity, seen)


def test_an_identity_that_the_cluster_makes_is_not_guessed() -> None:
    policy = KOPIUR + POLICY.replace("SOURCE", "{pvc: {name: films}}").replace("MORE", "")
    nas = NAS.replace("BACKEND", "{filesystem: {path: /repo}}").replace("MORE", ", identityDefaults: {usernameExpr: policyName}")
    (found,) = kopia_backups(rendered(policy, KOPIUR + nas))
    assert found.identity == "" and "expression" in found.note


def loaded(root: Path, rule: str, where: str = "filesystem:///repository") -> House:
    made = write_repository(root, SETTINGS.replace("  open_as:\n", rule))
    place = made.parent / "kubernetes/apps/apps/odd/app/store.yaml"
    secret = SECRET.replace("WHERE", where).replace("store", "wiki").replace("kind:", "apiVersion: v1\nkind:", 1)
    place.write_text(secret)
    return load(made)


def test_what_a_rule_opens_is_a_claim_that_is_audited_and_nothing_more(tmp_path: Path) -> None:
    house = loaded(tmp_path, RULE)
    (wiki,) = house.kopia
    assert (wiki.key, wiki.engine, wiki.identity, wiki.open_as) == ("odd/wiki", "kopia", "wiki@odd:/data", "/mnt/kopia")
    assert wiki.password.sources == ("env:KOPIA_PASSWORD",)
    assert "odd/wiki" not in {claim.key for claim in house.claims}, "no run restores it"
    assert [one.engine for one in house.unsupported] == ["kopiur", "kopia"], "and none hands a cluster over that has it"
    assert [one.engine for one in house.unaudited] == ["kopiur"]
    assert left_out(house.unaudited, (), ()) == ("1 backup not audited (kopiur)",)


def test_what_no_rule_opens_is_counted_as_not_audited(tmp_path: Path) -> None:
    house = loaded(tmp_path, "  open_as:\n")
    assert house.kopia == () and house.unaudited == house.unsupported
