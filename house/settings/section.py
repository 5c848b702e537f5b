"""A mapping of blackstart.yaml and one of its fields, as every section of the settings is made of them. Knows no section."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def what(description: str, example: object, default: Any = ...) -> Any:
    """A field: what it is, which is said when it is missing, how it is written, and what holds without it (`...`: nothing)."""
    return Field(default, description=description, examples=[example])


class Section(BaseModel):
    """A mapping of the file: unknown keys are refused, values are not converted."""

    # Built with the first file that is read: each section by itself before that would be built once more in the whole.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)
