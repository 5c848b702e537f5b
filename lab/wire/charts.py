"""A Helm repository over HTTPS, packed by helm itself out of the lab's stand-in charts. Knows no release.

Custom resource definitions of real programs are put into their charts here, out of Go's module cache; none is kept in this
repository.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lab.parts.errors import PartFailed
from lab.parts.programs import definitions, find
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import ServerKeys

SOURCES = Path(__file__).resolve().parent.parent / "houses" / "charts"
# Chart → whose definitions it brings.
DEFINITIONS: Mapping[str, str] = {"volsync": "volsync", "snapshot-controller": "snapshots"}
_TIMEOUT_S = 60.0


def pack(sources: Path, folder: Path, url: str) -> tuple[str, ...]:
    """Pack every chart of `sources` into `folder` and write the index for `url`. The packages' file names come back.

    PartFailed with helm's words when it refuses a chart.
    """
    unpacked, home = folder / "unpacked", folder / "home"
    home.mkdir(parents=True)
    shutil.copytree(sources, unpacked)
    for chart, program in DEFINITIONS.items():
        crds = unpacked / chart / "crds"
        if (unpacked / chart).is_dir():
            crds.mkdir()
            for file in definitions(program):
                # Go's module cache is read-only, its copies must not be.
                (crds / file.name).write_bytes(file.read_bytes())
    packages = folder / "packages"
    packages.mkdir()
    charts = [str(path) for path in sorted(unpacked.iterdir()) if (path / "Chart.yaml").is_file()]
    _helm(home, "package", *charts, "--destination", str(packages))
    _helm(home, "repo", "index", str(packages), "--url", url)
    shutil.rmtree(unpacked)
    return tuple(sorted(path.name for path in packages.glob("*.tgz")))


class ChartDoor:
    """Serves `folder`/packages (see `pack`) between `start` and `close`. `refuse`: every answer is this status."""

    def __init__(self, folder: Path, address: str, port: int, keys: ServerKeys) -> None:
        self._files = folder / "packages"
        self.refuse = 0
        self._server = HttpsServer(address, port, keys.context("http/1.1"), self.answer)

    @property
    def url(self) -> str:
        """`https://address:port`."""
        return self._server.url

    def start(self) -> ChartDoor:
        """Begin to answer."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._server.close()

    def answer(self, request: Request) -> Reply:
        """One file of the repository; 404 for anything else."""
        if self.refuse:
            return Reply(self.refuse, "Refused")
        file = self._files / unquote(urlsplit(request.target).path).lstrip("/")
        if request.method not in ("GET", "HEAD") or file.parent != self._files or not file.is_file():
            return Reply(404, "Not Found")
        kind = "text/yaml" if file.suffix == ".yaml" else "application/gzip"
        return Reply(headers={"Content-Type": kind}, body=file.read_bytes())


def _helm(home: Path, *arguments: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "HELM_CACHE_HOME": str(home)}
    done = subprocess.run(
        [str(find("helm")), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise PartFailed(f"helm {arguments[0]} failed", evidence=tuple(done.stderr.decode().splitlines()[-8:]))
