"""A list of objects: what does not list them does not say that there are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.kubernetes.client import ApiAnswer, ApiClient
from adapters.kubernetes.kinds import SECRET
from engine.errors import TransientError


class Told(ApiClient):
    """A server whose every answer is this."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def ask(self, method: str, path: str, what: str, **more: Any) -> ApiAnswer:
        """The next answer."""
        return ApiAnswer(200, json.dumps(self.answers.pop(0)).encode())


@pytest.mark.parametrize("answer", [
    {}, {"status": "ok"}, {"kind": "SecretList"}, {"items": {}}, {"items": "none"}, {"items": 0}, {"items": False}, {"items": ""},
    {"items": [None]}, {"items": [{}, "odd"]}, {"items": [[]]},
])  # fmt: skip
def test_what_is_no_list_is_no_empty_one(answer: dict[str, Any]) -> None:
    with pytest.raises(TransientError, match="the answer is no list"):
        Told(answer).list_objects(SECRET)
    with pytest.raises(TransientError):
        Told({"items": [{"a": 1}], "metadata": {"continue": "more"}}, answer).list_if_served(SECRET)


@pytest.mark.parametrize("items", [[], None])
def test_none_is_none_however_a_server_writes_it(items: list[Any] | None) -> None:
    assert Told({"items": items}).list_objects(SECRET) == []
