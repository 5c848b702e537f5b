"""What a ConfigMap or a Secret that Git shows holds, as text. Decrypts nothing."""

from __future__ import annotations

import base64
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
        data = {k: text for k, v in data.items() if (text := _text_in(v)) is not None}
        data |= {str(k): text_of(v) for k, v in mapping(one.body.get("stringData")).items()}
    return data


def text_of(value: Any) -> str:
    """A scalar as the text that a variable has: nothing for null."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def decoded(value: str) -> bytes | None:
    """What base64 stands for, line breaks left out as Go does; None for what is none."""
    try:
        return base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except ValueError:  # of signs, of the filling at the end, of what is no ASCII
        return None


def _text_in(value: str) -> str | None:
    found = decoded(value)
    try:
        return found.decode() if found is not None else None
    except UnicodeDecodeError:
        return None
