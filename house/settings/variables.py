"""Variables of the environment in the settings: a name, and a plain value of one line. Knows nobody who is given them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from house.files.grammar import VARIABLE
from house.files.typed import kind_of
from house.settings.values import json_form, wrong

_REFERENCES = ("op://", "sops:", "env:", "file:")


def name_of(value: Any) -> str:
    """A variable's name."""
    if not isinstance(value, str):
        raise wrong(f"is {kind_of(value)}, not text", "write a name, as in ROOT_DIR")
    if (told := VARIABLE.wrong(value)) is not None:
        raise wrong(*told)
    return value


def value_of(value: Any) -> str:
    """A variable's value; no reference, for nothing resolves it."""
    if not isinstance(value, str):
        raise wrong(f"is {kind_of(value)}, not text", 'write it in quotes, as in "1"')
    if "\n" in value or "\0" in value or value.startswith(_REFERENCES):
        raise wrong("is no plain value of one line", "write the value itself; a secret belongs into none of these")
    return value


VariableName = Annotated[str, BeforeValidator(name_of)]
VariableValue = Annotated[str, BeforeValidator(value_of), json_form(r"^[^\n]*$")]
