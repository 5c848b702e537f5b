"""TLS contexts for botocore that bear many threads. Knows no store.

botocore has one context for all connections of a client, and urllib3 loads the authorities into it again for each of them. Two
threads that do so at once break the context's list of look-ups, which OpenSSL guards by nothing, and the process dies of SIGSEGV:
most likely where a store has cut all connections, so that all threads begin anew together.
"""

from __future__ import annotations

import ssl
import threading
from typing import Any

from botocore import httpsession


class LoadedOnce(ssl.SSLContext):
    """Loads the same authorities once, whoever asks, and others one after the other."""

    def __init__(self, *_: object) -> None:
        super().__init__()
        self._loading = threading.Lock()
        self._loaded: set[tuple[object, ...]] = set()

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """See ssl.SSLContext."""
        asked = (cafile, capath, cadata)
        with self._loading:
            if asked not in self._loaded:
                super().load_verify_locations(cafile, capath, cadata)
                self._loaded.add(asked)


def context() -> LoadedOnce:
    """As botocore makes its own: urllib3 says for each connection whose certificates are taken, and holds the name against them."""
    made = LoadedOnce(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    return made


def share() -> None:
    """Have every client of botocore's that is made from now on use such contexts: it offers no other way to name one."""
    httpsession.create_urllib3_context = context  # type: ignore[assignment]
