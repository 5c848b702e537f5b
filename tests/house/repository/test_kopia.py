"""What kopia backs up, as Git declares it: whose snapshots, in which repository, and which of it a rule of the settings opens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from house.declared.kopia import kopia_backups, place_of
from house.loader import Part
from house.model import House
from house.repository.backups.left_out import left_out
from tests.house.data.test_data import rendered
from tests.house.reading import load, write_settings
from tests.house.small_house import SETTINGS, write_repository

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


@pytest.mark.parametrize(
    ("made", "identity"),
    [
        ("usernameExpr: policyName", "wiki@tools:/pvc/films"),
        ("hostnameExpr: namespace, usernameExpr: policyName", "wiki@tools:/pvc/films"),
        ("hostnameExpr: policyName, usernameExpr: ' namespace '", "tools@wiki:/pvc/films"),
    ],
)
def test_an_expression_that_is_one_name_alone_is_what_it_names(made: str, identity: str) -> None:
    policy = KOPIUR + POLICY.replace("SOURCE", "{pvc: {name: films}}").replace("MORE", "")
    nas = NAS.replace("BACKEND", "{filesystem: {path: /repo}}").replace("MORE", f", identityDefaults: {{{made}}}")
    (found,) = kopia_backups(rendered(policy, KOPIUR + nas))
    assert (found.identity, found.note) == (identity, "")


def test_an_identity_that_the_cluster_makes_is_not_guessed() -> None:
    policy = KOPIUR + POLICY.replace("SOURCE", "{pvc: {name: films}}").replace("MORE", "")
    made = ", identityDefaults: {usernameExpr: policyName + namespace}"
    nas = NAS.replace("BACKEND", "{filesystem: {path: /repo}}").replace("MORE", made)
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
    assert [one.engine for one in house.unsupported] == ["kopiur", "kopia"], "and nothing proves it"
    assert [one.engine for one in house.unheld] == ["kopiur"] and house.held_kopia == (wiki,)
    assert [one.engine for one in house.unaudited] == ["kopiur"]
    assert left_out(house.unaudited, (), ()) == ("1 backup not audited (kopiur)",)


def test_what_no_rule_opens_is_counted_as_not_audited(tmp_path: Path) -> None:
    house = loaded(tmp_path, "  open_as:\n")
    assert house.kopia == () and house.unaudited == house.unsupported


def test_a_first_file_has_one_rule_for_all_that_kopia_keeps_in_one_place(tmp_path: Path) -> None:
    text = first_file(tmp_path, "filesystem:///repository")
    rule = text.partition('    - seen: "/repository"\n')[2]
    assert rule.startswith("      open: FILL_IN  # the folder of kopia's repository as this machine has it mounted")
    assert "      password: FILL_IN  # reference to kopia's password" in rule
    assert "  # Claims that kopia backs up, audited and never restored by a run: odd/wiki.\n" in text
    assert "  # 1 backup not audited (kopiur)." in text


def test_a_bucket_of_kopia_is_opened_by_its_own_address(tmp_path: Path) -> None:
    rule = first_file(tmp_path, "s3://bucket/path").partition('    - seen: "s3:https://s3.example.org/bucket/path"\n')[2]
    assert rule.startswith("      environment:\n        AWS_ACCESS_KEY_ID: FILL_IN")
    assert "      password: FILL_IN  # reference to kopia's password" in rule.partition("- seen")[0]


def test_a_place_that_kopia_is_not_opened_at_is_asked_for(tmp_path: Path) -> None:
    rule = first_file(tmp_path, "b2://bucket").partition('    - seen: "b2://bucket"\n')[2]
    assert rule.startswith("      open: FILL_IN  # the folder of kopia's repository")


def test_what_git_does_not_show_is_said_and_makes_no_rule(tmp_path: Path) -> None:
    text = first_file(tmp_path, "{{ .WHERE }}", external=True)
    assert "open: FILL_IN  # the folder of kopia" not in text
    assert "  # 1 backup not audited (kopia)." in text
    assert '  #   odd/wiki: {repository: "s3:https://HOST/BUCKET/PATH"}  # ExternalSecret at ' in text


def test_a_house_of_kopia_alone_is_audited_by_what_its_first_file_asks_for(tmp_path: Path) -> None:
    place = tmp_path / "kubernetes/flux/cluster"
    place.mkdir(parents=True)
    secret = SECRET.replace("WHERE", "filesystem:///repository").replace("kind:", "apiVersion: v1\nkind:", 1)
    both = f"{secret}\n---\n{source('films')}\n"
    (place / "all.yaml").write_text(both.replace("metadata: {name:", "metadata: {namespace: tools, name:"))
    file = write_settings(tmp_path).file
    text = file.read_text()
    assert "  password: FILL_IN  # reference to kopia's password, as in op://vault/item/KOPIA_PASSWORD\n" in text
    assert "restic" not in text.partition("\nbackups:")[2].partition("\nlimits:")[0]
    filled = re.sub(r"(?m)^(      open: )FILL_IN", r"\1/mnt/kopia", text)
    file.write_text(re.sub(r"(?m)^(  password: )FILL_IN", r"\1env:KOPIA_PASSWORD", filled))
    (films,) = load(file, Part.BACKUPS).kopia
    assert (films.identity, films.open_as, films.password.sources) == ("films@tools:/data", "/mnt/kopia", ("env:KOPIA_PASSWORD",))


def first_file(root: Path, where: str, *, external: bool = False) -> str:
    made = write_repository(root)
    made.unlink()
    secret = SECRET.replace("WHERE", where).replace("store", "wiki").replace("kind:", "apiVersion: v1\nkind:", 1)
    if external:
        secret = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: wiki}\n"
        secret += f'spec: {{target: {{template: {{data: {{KOPIA_REPOSITORY: "{where}"}}}}}}}}\n'
    (root / "kubernetes/apps/apps/odd/app/store.yaml").write_text(secret)
    return write_settings(root).file.read_text()
