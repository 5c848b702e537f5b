"""The backups that a chart of the repository makes, for the independent count: rendered by helm, with the release's own values."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.houses.rows import Row, concerns, rows_of
from tools.locate import need


def charted(root: Path, body: dict[str, Any]) -> set[Row]:
    """What a HelmRelease of a chart that lies in this copy backs up; nothing where helm refuses it."""
    spec, space = body.get("spec") or {}, body["metadata"]["namespace"]
    chart = root / str(((spec.get("chart") or {}).get("spec") or {}).get("chart") or "none")
    if not (chart / "Chart.yaml").is_file() or not any(map(_speaks_of_backups, chart.rglob("templates/**/*.y*ml"))):
        return set()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as values:
        json.dump(spec.get("values") or {}, values, default=str)
        values.flush()
        argv = [need("helm"), "template", body["metadata"]["name"], chart, "-n", space, "-f", values.name]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    found: set[Row] = set()
    for part in done.stdout.split("\n---\n") if not done.returncode else ():
        try:
            made = YAML(typ="safe").load(part)
        except YAMLError:
            continue
        if concerns(part) and isinstance(made, dict):
            made["metadata"]["namespace"] = made["metadata"].get("namespace") or space
            found |= set(rows_of(made))
    return found


def _speaks_of_backups(file: Path) -> bool:
    return any(word in file.read_text(errors="replace") for word in ("ReplicationSource", "SnapshotPolicy", "velero.io", "k8up.io"))
