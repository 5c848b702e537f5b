"""What a verb printed, as tests read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

Printed = pytest.CaptureFixture[str]


def last_line(capsys: Printed) -> dict[str, Any]:
    """The `result` that a verb's JSON lines end with."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    return found
