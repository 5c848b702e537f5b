"""Whether a document that was kept is one: held against the schema that docs/evidence.md promises, before a page is made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from engine.text.jsontext import an_object, read_file
from rehearsal.outcome import from_json

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "evidence.schema.json"
LATER = ("previous", "signer")
"""What is known when it is signed."""


def amiss(document: Mapping[str, Any]) -> str:
    """Where a kept document is not as it should be, "" where nothing is. PermanentError for its drill."""
    schema = read_file(SCHEMA_FILE, an_object)
    schema["required"] = [key for key in schema["required"] if key not in LATER]
    for wrong in Draft202012Validator(schema).iter_errors(document):
        return "/".join(map(str, wrong.absolute_path)) or "the whole of it"  # its words may show a value
    if document["drill"] is not None:
        from_json(json.dumps(document["drill"]))
    return ""
