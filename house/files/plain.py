"""What a scalar of YAML without quotes means, to those who read YAML 1.2 and to those who still read 1.1. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_LONGEST_NUMBER = 300
"""Digits beyond which a number stays text: nothing that is counted here is as large, and Python refuses far longer ones."""
_INT = re.compile(r"[-+]?[0-9]+$|0o[0-7]+$|0x[0-9a-fA-F]+$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_NUMBER_START = frozenset("+-.0123456789")
_OLDER: Mapping[str, bool] = {
    word: truth
    for words, truth in (("y yes on", True), ("n no off", False))
    for lower in words.split()
    for word in (lower, lower.capitalize(), lower.upper())
}
Plain = Callable[[str], object]
_WORDS: Mapping[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def plain_scalar(text: str) -> object:
    """What an unquoted YAML scalar means: None, bool, int, float, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_START and len(text) <= _LONGEST_NUMBER:
        if _INT.match(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


def older_scalar(text: str) -> object:
    """The same to what still reads YAML 1.1, as Flux does once it has filled in variables: `yes`, `off`, `0777`.

    Source: sigs.k8s.io/yaml 1.6, goyaml.v2's resolve.go.
    """
    if (word := _OLDER.get(text)) is not None:
        return word
    return int(text, 8) if len(text) <= _LONGEST_NUMBER and _OCTAL.fullmatch(text) else plain_scalar(text)
