"""From a settings file's text to typed settings, with every problem told in our words. Knows nothing of the repository.

pydantic finds what is wrong; this module says it with file, line, path, and what would be right, and never quotes a value
that pydantic saw (it might be a secret pasted in the wrong place).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from house.files import yamlfile
from house.files.problems import Problem, Steps, dotted, nearest_or_all
from house.files.shapes import mapping
from house.files.typed import kind_of
from house.files.yamlfile import Document, YamlInvalid
from house.settings.section import Section
from house.settings.sections import BackupsPart, Settings
from house.settings.values import FILL_IN

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


UNFILLED = "is not filled in yet"
"""What a problem says of a value that config.init left to the person."""
_BARE = re.compile(r"[A-Za-z/][^\s\[\]{},#:]*(?::[^\s\[\]{},#:]+)*|[A-Za-z][\w .-]*")
"""A text that means itself in a flow of YAML."""
Model = TypeVar("Model", Settings, BackupsPart)
Alone = TypeVar("Alone", bound=Section)


@dataclass(frozen=True)
class ReadSettings(Generic[Model]):
    """What came of reading: `settings` is None when a problem stands in its way, `document` when it is not even YAML."""

    document: Document | None
    settings: Model | None
    problems: tuple[Problem, ...]


def read_settings(path: Path, model: type[Model]) -> ReadSettings[Model]:
    """Read blackstart.yaml as `model`; messages call it by its file name. Raises nothing for what the file says."""
    name = path.name
    try:
        documents = yamlfile.load(path, name)
    except YamlInvalid as error:
        return ReadSettings(None, None, (error.problem,))
    if not documents:
        return ReadSettings(None, None, (Problem(name, 0, "", "is empty", "let invoke config.init write one"),))
    if len(documents) > 1:
        line = documents[1].spot.line
        return ReadSettings(documents[0], None, (Problem(name, line, "", "a second document begins here", "keep one document"),))
    return _validated(documents[0], model)


def _validated(document: Document, model: type[Model]) -> ReadSettings[Model]:
    sections = frozenset(model.model_fields)
    duplicates = zip(document.duplicates, yamlfile.duplicate_problems(document), strict=True)
    problems = [problem for duplicate, problem in duplicates if model is Settings or duplicate.path[0] in sections]
    marks = tuple(mark for mark in marks_of(document.value, ()) if model is Settings or (mark[:1] and mark[0] in sections))
    settings: Model | None
    if model is BackupsPart:  # sections that are unfinished are not its business; what is no section may be one misspelt
        unknown = [key for key in mapping(document.value) if key not in Settings.model_fields]
        known = list(Settings.model_fields)
        problems += [_problem(document, (key,), "is not a known key", nearest_or_all(key, known)) for key in unknown]
    problems += [_problem(document, mark, UNFILLED, f"write {_advice(mark)}") for mark in marks]
    try:
        settings = model.model_validate(document.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False, include_context=True):
            where = tuple(detail["loc"])
            if not any(where[: len(mark)] == mark for mark in marks):
                problems.append(_told(document, detail, where))
        settings = None
    return ReadSettings(document, settings if not problems else None, tuple(problems))


def section_alone(document: Document, name: str, kind: type[Alone]) -> Alone | None:
    """One section by itself, whatever is unfinished in the others; None where it is not right itself."""
    value = mapping(document.value).get(name, {})
    if any(True for _ in marks_of(value)):
        return None
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None


def marks_of(value: Any, path: Steps = ()) -> Iterator[Steps]:
    """Where in a settings value something is still marked as to be filled in."""
    if isinstance(value, str):
        if FILL_IN in value:
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from marks_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from marks_of(item, (*path, index))


def _told(document: Document, detail: ErrorDetails, where: Steps) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "told":
        return _problem(document, where, str(context["what"]), str(context["better"]))
    if kind == "missing":
        return _problem(document, where, "is missing", f"write {_advice(where)}")
    if kind == "extra_forbidden":
        return _problem(document, where, "is not a known key", nearest_or_all(str(where[-1]), _known_keys(where[:-1])))
    if kind in _KINDS:
        found = kind_of(_value_at(document.value, where))
        return _problem(document, where, f"is {found}, not {_KINDS[kind]}", f"write {_advice(where)}")
    return _problem(document, where, _limit(kind, context), f"write {_advice(where)}")


def _limit(kind: str, context: dict[str, Any]) -> str:
    """A bound that was not kept, without the value that broke it."""
    if kind in ("greater_than_equal", "greater_than"):
        return f"is less than {context['ge']}"
    if kind in ("less_than_equal", "less_than"):
        return f"is more than {context['le']}"
    if kind == "literal_error":
        return "is none of the words that are known here"
    if kind in ("too_short", "string_too_short"):
        return "is empty"
    return "is not as it should be"


def _problem(document: Document, where: Steps, what: str, better: str) -> Problem:
    return Problem(document.name, document.line(where), dotted(where), what, better)


def _advice(where: Steps) -> str:
    """What would be right at this place, from the field's own description and first example."""
    if not where:
        return f"the sections {', '.join(name for name, field in Settings.model_fields.items() if field.is_required())}"
    name, field = _field_at(where)
    if field is None or field.description is None:
        return "what belongs here"
    examples = field.examples or []
    if not examples:
        return field.description
    example = examples[0]
    return f"{field.description}, as in `{name}: {example if isinstance(example, str) else _flow(example)}`"


def _flow(value: Any) -> str:
    """An example as YAML has it on one line, without quotes where it needs none."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if not isinstance(value, str) or _BARE.fullmatch(text) else f"'{text}'"


def _value_at(value: Any, where: Steps) -> Any:
    for step in where:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _known_keys(where: Steps) -> list[str]:
    model = _model_at(where)
    return list(model.model_fields) if model is not None else []


def _model_at(where: Steps) -> type[BaseModel] | None:
    if not where:
        return Settings
    kind = _kind_at(where)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _field_at(where: Steps) -> tuple[str, FieldInfo | None]:
    """The field that describes this place; an item of a list or mapping is described by the field that holds it."""
    for length in range(len(where), 0, -1):
        model = _model_at(where[: length - 1])
        if model is not None:
            name = str(where[length - 1])
            return name, model.model_fields.get(name)
    return "", None


def _kind_at(where: Steps) -> Any:
    kind: Any = Settings
    for step in where:
        kind = _without_none(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(step))
            kind = field.annotation if field is not None else None
        else:
            inner = get_args(kind)
            kind = inner[-1] if inner else None
    return _without_none(kind)


def _without_none(kind: Any) -> Any:
    inner = get_args(kind)
    if inner and type(None) in inner:
        return next(part for part in inner if part is not type(None))
    return kind
