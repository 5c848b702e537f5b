"""Every test that the table of this folder names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"(tests/[\w/]+\.(?:py|yaml))(?:::(\w+))?")


def test_every_test_of_the_table_is_there() -> None:
    rows = [line for line in (ROOT / "tests/houses/README.md").read_text().splitlines() if line.startswith("| ")]
    named = [NAMED.findall(row) for row in rows if "held by" not in row]
    assert all(named) and len(named) == 76
    for file, test in (one for row in named for one in row):
        text = (ROOT / file).read_text()
        assert f"def {test}(" in text if test else "def test_" in text or file.endswith(".yaml"), (file, test)
