"""Where a Secret that movers read says that their repository is, as Git shows it. Keeps nothing else of a Secret."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from house.files.shapes import mapping
from house.flux.rendered import RenderedObject

_KEY = "RESTIC_REPOSITORY"
_PASSWORD = re.compile(r"//[^/@\s]*:[^/@\s]*@")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}?")


class Repositories:
    """The Secrets and ExternalSecrets of a graph."""

    def __init__(self, objects: Iterable[RenderedObject]) -> None:
        self._found: dict[tuple[str, str], RenderedObject] = {}
        for one in objects:
            if one.kind == "ExternalSecret":
                name = str(mapping(one.spec.get("target")).get("name") or one.name)
                self._found.setdefault((one.namespace, name), one)
            elif one.kind == "Secret" and not one.group:
                self._found.setdefault((one.namespace, one.name), one)

    def of(self, namespace: str, secret: str, key: str = _KEY) -> tuple[str, str]:
        """RESTIC_REPOSITORY, or another key that says where, as the repository declares it; or "" and why it cannot be told.

        A template's `{{ … }}` stays in it, as long as what is beside it can tell one repository from another.
        """
        told, where = self._shown(namespace, secret, key)
        return _told(told, where, key) if where else ("", told or "")

    def is_empty(self, namespace: str, secret: str, key: str = _KEY) -> bool:
        """Whether the Secret shows that its repository is no text at all: no mover opens that."""
        told, where = self._shown(namespace, secret, key)
        return bool(where) and told is not None and not str(told).strip()

    def _shown(self, namespace: str, secret: str, key: str) -> tuple[Any, str]:
        """The entry as it is written, and where; or why it is not shown, and ""."""
        one = self._found.get((namespace, secret))
        if one is None:
            return f"no Secret or ExternalSecret {namespace}/{secret} is in the repository", ""
        if one.kind == "ExternalSecret":
            data = mapping(mapping(mapping(one.spec.get("target")).get("template")).get("data"))
            return data.get(key), f"ExternalSecret at {one.declared_in}"
        if "sops" in one.body:
            return f"it is encrypted in {one.file}: known only after decrypting", ""
        return _entry(one, key), f"Secret at {one.declared_in}"


def _entry(secret: RenderedObject, key: str) -> str | None:
    """The one entry of a plain Secret that is no secret: where the repository is."""
    text = mapping(secret.body.get("stringData")).get(key)
    if text is not None:
        return str(text)
    encoded = mapping(secret.body.get("data")).get(key)
    if encoded is None:
        return None
    try:
        return base64.b64decode(str(encoded), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _told(value: Any, where: str, key: str) -> tuple[str, str]:
    if value is None:
        return "", f"{where} does not show {key}: known only in the cluster"
    text = str(value)
    if not text.strip():
        return "", f"{where} has an empty {key}"
    variables = _VARIABLE.findall(text)
    if variables:
        names = ", ".join(re.sub(r"^\$\{(\w*).*", r"\1", variable) for variable in variables)
        return "", f"{where} needs {names}, which the repository does not show"
    if _PASSWORD.search(text):
        return "", f"{where} has a password in {key}, which is not read from there"
    if _TEMPLATE.search(text) and not re.search(r"\w", _TEMPLATE.sub("", text)):
        return "", f"{where} fills {key} in from its store: known only in the cluster"
    return text, ""
