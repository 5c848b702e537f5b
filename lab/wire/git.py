"""The house's own Git server: smart HTTPS by Git's own `http-backend`, with faults to switch on. Knows no repository's content."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab.parts.errors import ProgramMissing
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import ServerKeys

_TIMEOUT_S = 60.0
_REASONS = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}


@dataclass
class GitWeather:
    """How the server is just now. `refuse`: answer everything with this status (401, 503); `slow_s`: seconds before each answer."""

    refuse: int = 0
    slow_s: float = 0.0
    requests: list[str] = field(default_factory=list)


class GitDoor:
    """Serves the bare repositories below `root` between `start` and `close`, for reading and for pushes."""

    def __init__(self, root: Path, address: str, port: int, keys: ServerKeys) -> None:
        git = shutil.which("git")
        if git is None:
            raise ProgramMissing("git is not on PATH", hint="install git")
        self._git = git
        self._root = root
        self.weather = GitWeather()
        self._server = HttpsServer(address, port, keys.context("http/1.1"), self.answer)

    @property
    def url(self) -> str:
        """`https://address:port`."""
        return self._server.url

    def start(self) -> GitDoor:
        """Begin to answer."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._server.close()

    def answer(self, request: Request) -> Reply:
        """One request, run through `git http-backend` as a CGI program."""
        self.weather.requests.append(f"{request.method} {request.target}")
        if self.weather.slow_s:
            time.sleep(self.weather.slow_s)
        if self.weather.refuse:
            asks = {"WWW-Authenticate": 'Basic realm="lab"'} if self.weather.refuse == 401 else {}
            return Reply(self.weather.refuse, _REASONS.get(self.weather.refuse, "Refused"), asks)
        path, _, query = request.target.partition("?")
        try:
            done = subprocess.run(
                [self._git, "http-backend"],
                input=request.body,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment(request, path, query),
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Reply(503, _REASONS[503])
        return _reply(done.stdout) if done.stdout else Reply(500, "Internal Server Error")

    def _environment(self, request: Request, path: str, query: str) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            # http-backend takes pushes only from a user that the web server knows.
            "REMOTE_USER": "lab",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }


def _reply(output: bytes) -> Reply:
    """What a CGI program wrote, as an answer."""
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Reply(status, _REASONS.get(status, "Status"), headers, body)
