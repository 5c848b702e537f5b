"""Machineconfig text: its documents, and the digest that a rendered file and a running node are compared by. Knows no program."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from engine.errors import PermanentError
from house.files import yamlfile


def documents(text: str) -> tuple[dict[str, Any], ...]:
    """The YAML documents of a machineconfig, in their order, empty ones left out.

    PermanentError when it is no YAML or a document is no mapping; the message never quotes the text, which holds keys.
    """
    found = [document.value for document in yamlfile.parse(text, "machineconfig")]
    for document in found:
        if not isinstance(document, dict):
            raise PermanentError("a machineconfig has a document that is no mapping")
    return tuple(found)


def config_digest(text: str) -> str:
    """Digest over the content: comments, order of keys and of documents, quoting and empty values do not matter.

    A node keeps the text it was given, but a patch or an upgrade renders it anew; only what it means is compared.
    """
    contents = sorted(json.dumps(_without_empty(d), sort_keys=True, default=str) for d in documents(text))
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {str(key): _without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner is not None and inner != {} and inner != []}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    return value
