"""Renders charts that lie on this machine with the real helm. Knows no repository and no cluster, and fetches nothing.

Run before anything is open, as kustomize is: it reads files, prints, and ends. `helm env HELM_REPOSITORY_CACHE` names the folder in
which `helm pull`, `helm install` and `helm template` leave the archive of a chart, NAME-VERSION.tgz, also of OCI registries.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.text.words import last_lines
from house.flux.charts import NotRendered

_TIMEOUT_S = 30.0
_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*")
_SERVED = (
    "volsync.backube/v1alpha1", "volsync.backube/v1alpha1/ReplicationSource", "volsync.backube/v1alpha1/ReplicationDestination",
    "external-secrets.io/v1", "external-secrets.io/v1/ExternalSecret", "velero.io/v1", "velero.io/v1/Schedule", "k8up.io/v1",
)  # fmt: skip


class HelmCharts:
    """The helm that `find` finds when one is needed; `find` raises NotRendered, with how to get it, when there is none."""

    def __init__(self, find: Callable[[], Path]) -> None:
        self._find = find

    @cached_property
    def _helm(self) -> Path:
        return self._find()

    def find(self, address: str, version: str) -> Path | None:
        """The archive of this chart in helm's cache. Of a range of versions nobody here knows which one Flux takes."""
        name = address.rstrip("/").rpartition("/")[2]
        if not name or _EXACT.fullmatch(version) is None:
            return None
        file = _cache() / f"{name}-{version}.tgz"
        return file if file.is_file() else None

    def render(self, chart: Path, release: str, namespace: str, values: Mapping[str, Any]) -> str:
        """What `helm template` prints, in a house of its own: no plugin, no repository and no kubeconfig has a say."""
        with TemporaryDirectory(prefix="blackstart-helm-") as home:
            file = Path(home) / "values.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(values, default=str), encoding="utf-8")
            served = [word for one in _SERVED for word in ("--api-versions", one)]
            command = [str(self._helm), "template", release, str(chart), "--namespace", namespace, "--values", str(file)]
            environment = {
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": home, "KUBECONFIG": os.devnull, "HELM_CACHE_HOME": home,
                "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home, "GOGC": "off",
            }  # fmt: skip
            try:
                done = subprocess.run(
                    [*command, "--skip-tests", *served], stdin=subprocess.DEVNULL, capture_output=True, env=environment,
                    timeout=_TIMEOUT_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise NotRendered(f"helm did not end within {_TIMEOUT_S:.0f} s") from None
            except OSError as error:
                raise NotRendered(f"helm cannot be run ({error.strerror})", hint="invoke tools.check") from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")
            wrong = tuple(line.removeprefix("Error: ") for line in said.splitlines() if line.startswith("Error: "))
            words = wrong or last_lines(said)
            raise NotRendered("helm refuses its chart", evidence=words, hint="helm dependency build, where it lacks a chart")
        return done.stdout.decode("utf-8", errors="replace")


def _cache() -> Path:
    """Where helm keeps what it has fetched, by its own variables."""
    if named := os.environ.get("HELM_REPOSITORY_CACHE"):
        return Path(named)
    if named := os.environ.get("HELM_CACHE_HOME"):
        return Path(named) / "repository"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "helm" / "repository"
