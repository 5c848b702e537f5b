"""What a ConfigMap or a Secret that Git shows holds, as text. Decrypts nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from house.files.shapes import mapping
from house.flux.rendered import RenderedObject


def data_of(one: RenderedObject) -> Mapping[str, str] | None:
    """The data of a ConfigMap or Secret as text; None for one that is encrypted in Git."""
    if "sops" in one.body:
        return None
    data = {str(k): text_of(v) for k, v in mapping(one.body.get("data")).items()}
    if one.kind == "Secret":
        data = {k: text for k, v in data.items() if (text := _decoded(v)) is not None}
        data |= {str(k): text_of(v) for k, v in mapping(one.body.get("stringData")).items()}
    return data


def text_of(value: Any) -> str:
    """A scalar as the text that a variable has: nothing for null."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
