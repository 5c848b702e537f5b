"""The lab's Image Factory over HTTPS: disk images, their checksums, and schematics. Knows nothing of Proxmox.

Schematic ids are the SHA-256 of the YAML that was posted, as the real factory makes them from its normal form.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import ServerKeys
from lab.world.images import Images
from lab.world.pve.fetch import no_connection, unresolved, untrusted
from lab.world.pve.tasks import FetchFailed

_LARGEST = 1 << 20
FETCH_TIMEOUT_S = 10.0


class FactoryServer:
    """Serves `images` from `start` to `close`."""

    def __init__(self, images: Images, address: str, port: int, keys: ServerKeys) -> None:
        self._images = images
        self._schematics: dict[str, bytes] = {}
        self.server = HttpsServer(address, port, keys.context("http/1.1"), self.answer)

    def start(self) -> FactoryServer:
        """Begin to answer."""
        self.server.start()
        return self

    def close(self) -> None:
        """End, with all connections."""
        self.server.close()

    def answer(self, request: Request) -> Reply:
        """GET and HEAD of what is published, POST of a schematic; anything else is 404 or 405."""
        if self._images.down:
            return Reply(drop=True)
        path = urlsplit(request.target).path
        if path.endswith(".sha256") and not self._images.checksums:
            return _reply(402, "Payment Required", b"Payment Required\n")
        if request.method == "POST" and path == "/schematics":
            schematic = hashlib.sha256(request.body).hexdigest()
            self._schematics[schematic] = request.body
            return _reply(201, "Created", json.dumps({"id": schematic}).encode(), "application/json")
        if request.method not in ("GET", "HEAD"):
            return _reply(405, "Method Not Allowed", b"Method Not Allowed\n")
        found = self._images.get(path)
        match = re.fullmatch(r"/schematics/([0-9a-f]{64})", path)
        if found is None and match:
            found = self._schematics.get(match[1])
        if found is None:
            return _reply(404, "Not Found", b"Not Found\n")
        return _reply(200, "OK", found, "text/plain" if path.endswith(".sha256") else "application/octet-stream")


def https_fetch(ca_file: Path, url: str, /, *, verify: bool = True) -> bytes:
    """What a Proxmox host downloads from `url`, trusting the lab's CA; FetchFailed as PVE's downloader, which is wget, says it.

    `verify` False: whatever certificate answers.
    """
    if not url.startswith("https://"):
        raise FetchFailed("the lab has no plain HTTP", "400 no TLS")
    context = ssl.create_default_context(cafile=str(ca_file))
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=FETCH_TIMEOUT_S) as answer:
            return bytes(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchFailed("exit code 8", f"{error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _unreached(urlsplit(url), error.reason) from None
    except OSError as error:
        raise FetchFailed(str(error), "503 cut off") from None


def _unreached(url: SplitResult, reason: object) -> FetchFailed:
    """As wget tells that nobody answered, or the wrong one."""
    match reason:
        case ssl.SSLCertVerificationError():
            return untrusted(url)
        case socket.gaierror():
            return unresolved(url)
        case _:
            return no_connection(url, "Connection refused" if isinstance(reason, ConnectionRefusedError) else str(reason))


def _reply(status: int, reason: str, body: bytes, kind: str = "text/plain") -> Reply:
    return Reply(status, reason, {"Content-Type": kind}, body)
