"""What Git names of 1Password, and what is said where the vault has it not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.vault.adapter import OpVault
from adapters.vault.port import VaultItem
from cluster.vault_items import VaultItems, Wanted, vault_checks, wanted
from engine.probe import Condition
from house.flux.rendered import Rendered
from tests.adapters.vault.test_vault import Op
from tests.builders import a_house
from tests.cluster.lint.made import objects_of
from tests.scenario.running import Running

TEXT = """---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: connect}
spec: {provider: {onepassword: {connectHost: "http://c", vaults: {infra: 2, home: 1}}}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: sdk, namespace: apps}
spec: {provider: {onepasswordSDK: {vault: cloud}}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: other, namespace: apps}
spec: {provider: {vault: {server: "http://v"}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: a, namespace: apps}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  data: [{secretKey: x, remoteRef: {key: wiki, property: PASSWORD}}, {secretKey: y, remoteRef: {key: "${APP}", property: P}}]
  dataFrom: [{extract: {key: nas}}, {find: {name: {regexp: ".*"}}}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: b, namespace: apps}
spec:
  secretStoreRef: {name: sdk}
  data: [{secretKey: x, remoteRef: {key: bucket/s3/key}}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: c, namespace: apps}
spec: {secretStoreRef: {name: other}, data: [{secretKey: x, remoteRef: {key: secret/z}}]}
"""
HOME = ("home", "infra")
WIKI, NAS, BUCKET = VaultItem(HOME, "wiki"), VaultItem(HOME, "nas"), VaultItem(("cloud",), "bucket")


def test_items_and_fields_are_read_as_each_provider_writes_them() -> None:
    found = wanted(Rendered(objects_of(TEXT)))
    assert [(one.item, one.field) for one in found] == [(WIKI, "PASSWORD"), (NAS, ""), (BUCKET, "s3.key")]


def probed(tmp_path: Path, most: int = 10, **items: frozenset[str]) -> tuple[Condition, str, tuple[str, ...]]:
    running = Running(tmp_path / "state")
    running.home.vault.update({("infra" if name == "nas" else "cloud" if name == "bucket" else "home", name): fields
                               for name, fields in items.items()})  # fmt: skip
    seen = VaultItems(wanted(Rendered(objects_of(TEXT))), most).probe(running.home.look())
    return seen.condition, seen.detail, seen.evidence


def test_what_is_there_is_told_and_so_is_each_thing_that_is_not(tmp_path: Path) -> None:
    whole = {"wiki": frozenset({"PASSWORD"}), "nas": frozenset[str](), "bucket": frozenset({"s3.key"})}
    assert probed(tmp_path, **whole) == (Condition.SATISFIED, "3 items with every field that is named", ())
    condition, _, evidence = probed(tmp_path, wiki=frozenset({"password"}), bucket=whole["bucket"])
    assert condition is Condition.DRIFTED
    assert [line.partition(" (")[0] for line in evidence] == ["wiki: PASSWORD: no such field", "nas: no such item in home, infra"]


def test_what_was_not_asked_is_not_called_there(tmp_path: Path) -> None:
    condition, told, _ = probed(tmp_path, most=1, wiki=frozenset({"PASSWORD"}))
    assert condition is Condition.UNKNOWN and told.startswith("2 of 3 items could not be looked at")


def test_what_is_told_from_memory_says_how_old_that_is(tmp_path: Path) -> None:
    running = Running(tmp_path / "state")
    op = Op({("wiki", "home"): {"fields": [{"label": "PASSWORD"}]}, ("nas", "home"): {}, ("bucket", "cloud"): {"fields": [
        {"label": "key", "section": {"label": "s3"}},
    ]}})  # fmt: skip
    look = replace(running.home.look(), vault=OpVault(op, tmp_path / "seen.json", running.clock, {}))
    check = VaultItems(wanted(Rendered(objects_of(TEXT))), 10)
    assert check.probe(look).detail == "3 items with every field that is named"
    op.answers = dict.fromkeys(op.answers, "[ERROR] you are not currently signed in")
    running.clock.sleep(3 * 86400.0)
    seen = check.probe(look)
    told = "3 items with every field that is named, as seen up to 3.0 days ago"
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, told)
    running.clock.sleep(5 * 86400.0)
    assert check.probe(look).condition is Condition.UNKNOWN


def test_the_line_for_hands_takes_any_title() -> None:
    odd = Wanted(VaultItem(("my home",), "Bob's $key"), "", "a.yaml:1")
    assert VaultItems((odd,), 10).by_hand().startswith("""op item get 'Bob'"'"'s $key' --vault 'my home'""")


def test_nobody_is_asked_unless_the_settings_say_how_often() -> None:
    assert list(vault_checks(a_house())) == []
