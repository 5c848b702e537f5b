"""Reads a talosconfig: whose CA it trusts, and how long its admin certificate is good. Knows no program."""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path
from typing import Any

from adapters.certificates import ends_at
from adapters.talos.redaction import register_secrets
from engine.errors import PermanentError
from engine.files.content import text_of
from house.files import yamlfile

# Whoever starts a run wants it to end before the certificate does.
SPARE_S = 86400.0


def talosconfig_ca(path: Path) -> str:
    """The Talos CA's certificate as PEM, "" when the file is not there. PermanentError when it is no talosconfig."""
    context = _context(path)
    return _pem(context.get("ca"), path) if context else ""


def admin_certificate_good(path: Path) -> bool:
    """Whether the file is there, is a talosconfig, and its admin certificate is good for another day: what is not is made again."""
    try:
        until = ends_at(_pem(_context(path).get("crt"), path))
    except PermanentError:
        return False
    return until is not None and until > time.time() + SPARE_S


def _context(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        document = yamlfile.value(text_of(path), path.name)
    except UnicodeDecodeError:
        document = None
    if isinstance(document, dict):
        contexts, name = document.get("contexts"), document.get("context")
        found = contexts.get(name) if isinstance(contexts, dict) and isinstance(name, str) else None
        if isinstance(found, dict):
            register_secrets(found)
            return found
    raise PermanentError(f"{path.name} is no talosconfig with a current context", evidence=(str(path),))


def _pem(value: Any, path: Path) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise PermanentError(f"{path.name} holds a certificate that is not base64", evidence=(str(path),)) from None
