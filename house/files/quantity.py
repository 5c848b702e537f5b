"""Kubernetes quantities (`10Gi`, `1.5e3`, `500M`) as bytes. Knows nothing else of Kubernetes."""

from __future__ import annotations

import re

_FORM = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([0-9]{1,2})|(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P))?")
_SIGNED = re.compile(r"([+-]?)([0-9.]+)(?:[A-Za-z].*)?")
_BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTP", 1)}
_DECIMAL = {letter: 1000**power for power, letter in enumerate("kMGTP", 1)}


def is_more_than_nothing(text: str) -> bool:
    """Whether a quantity is; True as well for what is none, of which others tell."""
    found = _SIGNED.fullmatch(text)
    return found is None or (found[1] != "-" and any(digit in "123456789" for digit in found[2]))


def bytes_of(text: str) -> int:
    """The bytes of a quantity, 0 for what is none: nobody knows then."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return 0
    unit = 10 ** int(found[2]) if found[2] else (_BINARY | _DECIMAL).get(found[3] or "", 1)
    return int(float(found[1]) * unit)
