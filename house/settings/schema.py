"""The JSON schema of blackstart.yaml, for editors. Made from the settings models; the loader alone decides what is right."""

from __future__ import annotations

import json
from typing import Any

from house.settings.sections import Settings
from house.settings.values import FILL_IN

SCHEMA_FILE = "blackstart.schema.json"
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""First line of every settings file that we write: where editors find the schema."""


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of blackstart.yaml. It accepts the marks that config.init writes; the loader does not."""
    made = _with_marks(Settings.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "blackstart.yaml"}


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _with_marks(part: Any) -> Any:
    """Every scalar may also be a mark."""
    if isinstance(part, list):
        return [_with_marks(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in ("integer", "string", "boolean") and "properties" not in part:
        told = {key: part[key] for key in ("description", "examples", "default", "title") if key in part}
        rule = {key: value for key, value in part.items() if key not in told}
        return {"anyOf": [rule, {"type": "string", "pattern": FILL_IN}], **told}
    kept = ("examples", "default", "required", "enum")
    return {key: value if key in kept and key != "properties" else _with_marks(value) for key, value in part.items()}
