"""Whatever the locale is: --json is valid JSON in ASCII, a screen shows what it can, and no verb ends in a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VERBS = """
import sys
from console.verbs.dr import audit
from console.verbs.cluster import bootstrap as cluster
settings = sys.argv[1]
code = audit.audit(settings, True, False, "", "")
sys.stderr.write("\\f")
sys.exit(code if cluster.status(settings, False) == code else 1)
"""
"""Both in one process: to start it costs more than either."""
LOCALES = {
    "C": {"LC_ALL": "C"}, "POSIX without UTF-8": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR"}, "not installed": {"LC_ALL": "xx_YY.ISO-8859-15", "PYTHONUTF8": "0"},
    "ASCII output": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
}  # fmt: skip
NO_TEXT = os.fsdecode(b"caf\xe9-\xff \xc3\xbc")
SETTINGS = 'häus: {}\nhouse: {name: "İstanbul\\u2028", näme: 7}\nbackups: {claims: {"ä/ö": {data: "ß"}}}\n'


def ended(locale: str, settings: Path) -> subprocess.CompletedProcess[bytes]:
    """The verbs in a process of their own, with this locale and nothing else that says one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    environment = {**clean, "PYTHONDONTWRITEBYTECODE": "1", **LOCALES[locale]}
    argv = [sys.executable, "-c", VERBS, str(settings)]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("locale", list(LOCALES))
def test_names_that_are_no_text_and_signs_that_the_locale_lacks_stop_no_json(tmp_path: Path, locale: str) -> None:
    folder = tmp_path / NO_TEXT
    folder.mkdir()
    settings = folder / "blackstart.yaml"
    settings.write_text(SETTINGS, encoding="utf-8")
    done = ended(locale, settings)
    assert b"Traceback" not in done.stderr
    (line,) = done.stdout.splitlines()
    assert line.isascii()
    result = json.loads(line)["result"]
    assert (done.returncode, result["exit_code"], result["outcome"]) == (10, 10, "refused")
    assert any("h\u00e4us" in told for told in result["problem"]["evidence"]), result["problem"]
    assert done.stderr.partition(b"\f")[2].startswith(b"what      ")
