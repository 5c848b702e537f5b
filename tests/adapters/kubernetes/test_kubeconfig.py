"""What is wrong with a kubeconfig is said in words, by its fields, and no value of it is told: it holds a private key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kubeconfig import load_config
from engine.errors import PermanentError

HERE = "https://127.0.0.1:1"


def _cluster(**fields: Any) -> dict[str, Any]:
    return {"clusters": [{"name": "c", "cluster": fields}]}


def _user(**fields: Any) -> dict[str, Any]:
    return {"users": [{"name": "u", "user": {one.replace("_", "-"): value for one, value in fields.items()}}]}


def _written(folder: Path, changed: dict[str, Any]) -> Path:
    good = {
        "current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        **_cluster(server=HERE), **_user(token="hidden-word"),
    }  # fmt: skip
    file = folder / "kubeconfig"
    file.write_text(json.dumps(good | changed))
    return file


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"clusters": "hidden-word"}, "clusters is text, not a list"),
    ({"clusters": None}, "clusters is not there, or empty"),
    ({"clusters": ["hidden-word"]}, "clusters[0] is text, not a mapping"),
    ({"clusters": [{"name": ["c"], "cluster": {"server": HERE}}]}, "clusters[0].name is a list, not text"),
    ({"clusters": [{"name": "other", "cluster": {"server": HERE}}]}, "the cluster of its current context is none of its clusters"),
    (_cluster(), "clusters[0].cluster.server is not there, or empty"),
    (_cluster(server=7), "clusters[0].cluster.server is a number, not text"),
    (_cluster(server=""), "the server of its cluster is no API's URL"),
    (_cluster(server="hidden-word"), "the server of its cluster is no API's URL"),
    (_cluster(server="https://h:99999"), "the server of its cluster is no API's URL"),
    (_cluster(server="ftp://h"), "the server of its cluster is no API's URL"),
    ({"users": {"u": {"token": "hidden-word"}}}, "users is a mapping, not a list"),
    ({"users": [{"name": "u", "user": None}]}, "users[0].user is not there, or empty"),
    ({"users": [{"name": "other", "user": {"token": "hidden-word"}}]}, "the user of its current context is none of its users"),
    (_user(token=7), "users[0].user.token is a number, not text"),
    (_user(token="hidden-word\n"), "the token of its user is no token"),
    (_user(client_certificate_data="hidden-word"), "its user has a client-certificate and no client-key"),
    (_user(client_key_data="hidden-word"), "its user has a client-key and no client-certificate"),
    (_user(exec="hidden-word"), "a field of it is not what it has to be: Expected `object | null`, got `str`"),
    ({"contexts": [{"name": "x", "context": {"cluster": "c"}}]}, "its current context names no user"),
    ({"contexts": [{"name": "x", "context": "hidden-word"}]}, "contexts[0].context is text, not a mapping"),
    ({"current-context": "hidden-word"}, "current-context is none of its contexts"),
    ({"current-context": None}, "current-context is not there, or empty"),
    ({"current-context": True}, "current-context is true or false, not text"),
]


@pytest.mark.parametrize(("changed", "says"), WRONG, ids=[f"{number}: {says[:40]}" for number, (_, says) in enumerate(WRONG)])
def test_the_field_is_named_and_nothing_is_quoted(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(PermanentError, match="cannot be read") as caught:
        load_config(_written(tmp_path, changed))
    (told,) = caught.value.evidence
    assert told.partition("kubeconfig: ")[2].startswith(says)
    assert "hidden-word" not in str(caught.value) + told


@pytest.mark.parametrize(("text", "says"), [
    ("", "it is empty"), ("[1]", "it is a list, not a mapping"), ("word", "it is text, not a mapping"),
    ("a: 1\nb: [\n", "line 3 of it is no YAML"), ("a: 1\n---\nb: 1\n", "line "),
])  # fmt: skip
def test_what_is_no_mapping_is_told_as_what_it_is(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(PermanentError) as caught:
        load_config(tmp_path / "kubeconfig")
    assert says in caught.value.evidence[0]


@pytest.mark.parametrize(("changed", "says"), [
    (_cluster(**{"server": HERE, "certificate-authority-data": "aGlkZGVuLXdvcmQ="}), "no certificate and key that go together"),
    (_cluster(**{"server": HERE, "certificate-authority": "not-there"}), "a file that it names cannot be read: No such file"),
    (_user(auth_provider={"name": "oidc"}), "credentials of a kind that is not known here"),
])  # fmt: skip
def test_what_no_client_can_be_made_of_says_why(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(PermanentError, match="cannot be used") as caught:
        ApiClient(load_config(_written(tmp_path, changed)))
    assert says in caught.value.evidence[0]
