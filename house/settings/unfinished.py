"""A settings file that is not finished yet: every section that is right by itself, and the names of those that are not.

For what is looked for in Git alone: of a section that is not right nothing is taken, but for which Secrets a bootstrap brings.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from house.files.shapes import mapping
from house.files.yamlfile import Document
from house.model import SecretRef
from house.settings.backups import BackupsSection
from house.settings.reading import ReadSettings, marks_of, read_settings, section_alone
from house.settings.sections import (
    BackupsPart,
    BootstrapSection,
    HouseSection,
    LimitsSection,
    LintSection,
    NasSection,
    Settings,
    SopsSection,
)
from house.settings.values import FILL_IN

_STANDS_IN = "env:NOT_SAID_YET"
_NO_KEY = SopsSection.model_construct(age_key=SecretRef(()), recipient=None)


def read_unfinished(path: Path) -> ReadSettings[BackupsPart]:
    """The file as far as it is right. Its problems are that it is no YAML, has keys that nobody knows, or says no house."""
    read = read_settings(path, BackupsPart)
    document = read.document
    if document is None or read.settings is not None:
        return read
    house = section_alone(document, "house", HouseSection)
    # A section that is wrong is named among those that are unfinished; without a house, or with a key twice, nothing is sure.
    telling = tuple(one for one in read.problems if one.path.partition(".")[0] not in ("backups", "sops", "limits"))
    if house is None or telling:
        return ReadSettings(document, None, telling or read.problems)
    made = BackupsPart.model_construct(
        house=house,
        sops=section_alone(document, "sops", SopsSection) or _NO_KEY,
        backups=section_alone(document, "backups", BackupsSection) or BackupsSection(),
        limits=section_alone(document, "limits", LimitsSection) or LimitsSection(),
    )
    return ReadSettings(document, made, ())


def unfinished(document: Document) -> tuple[str, ...]:
    """The sections that are lacking, have something left to fill in, or are wrong by themselves."""
    whole = mapping(document.value)
    fields = Settings.model_fields
    lacking = [name for name, field in fields.items() if name not in whole and field.is_required()]
    return (*(name for name in fields if name in whole and not _is_right(name, whole[name])), *lacking)


def _is_right(name: str, value: Any) -> bool:
    if any(True for _ in marks_of(value)):
        return False
    field = Settings.model_fields[name]
    try:
        _shape(name).validate_python(value)
    except ValidationError:
        return False
    return bool(value) or not field.is_required()


@cache
def _shape(name: str) -> TypeAdapter[Any]:
    """What is right in this section. To make one takes longer than to read a whole file."""
    return TypeAdapter(Settings.model_fields[name].annotation or Any)


def nas_of(document: Document) -> dict[str, NasSection]:
    """Each NAS whose section is right."""
    found = {}
    for name, value in mapping(mapping(document.value).get("nas")).items():
        if not any(True for _ in marks_of(value)):
            try:
                found[str(name)] = NasSection.model_validate(value)
            except ValidationError:
                continue
    return found


def accepted_of(document: Document) -> dict[str, str]:
    """Findings of the lint that are meant so."""
    section = section_alone(document, "lint", LintSection)
    return dict(section.accepted) if section is not None else {}


def bootstrap_of(document: Document) -> BootstrapSection | None:
    """What a bootstrap brings, with a reference to nothing where a person has not said one yet."""
    try:
        return BootstrapSection.model_validate(_filled(mapping(document.value).get("bootstrap") or {}))
    except ValidationError:
        return None


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return _STANDS_IN if isinstance(value, str) and FILL_IN in value else value
