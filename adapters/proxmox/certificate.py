"""Which certificate a Proxmox endpoint shows, before anybody trusts it: nothing of ours is sent. Knows no token."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

from engine.errors import PermanentError, TransientError

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class ShownCertificate:
    """SHA-256 as `AA:BB:…`, whose it says it is, who signed it, and its last day."""

    fingerprint: str
    subject: str
    issuer: str
    ends: str


def shown_by(url: str) -> ShownCertificate:
    """What the server behind `url` (https://host:8006) shows. TransientError: nobody answers; PermanentError: it is no TLS."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 8006
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is believed of it: a person compares the fingerprint, and no byte follows the handshake.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True) or b""
    except ssl.SSLError as error:
        why = (str(error.reason or error),)
        raise PermanentError(f"{url} does not speak TLS", evidence=why, hint="is it Proxmox' port, 8006?") from None
    except OSError as error:
        hint = "is a Proxmox host up, and reachable from here?"
        raise TransientError(f"nobody answers at {url}", evidence=(error.strerror or type(error).__name__,), hint=hint) from None
    return _told(der)


def _told(der: bytes) -> ShownCertificate:
    digest = hashlib.sha256(der).hexdigest().upper()
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    try:
        found = x509.load_der_x509_certificate(der)
        named = found.subject.rfc4514_string(), found.issuer.rfc4514_string(), f"{found.not_valid_after_utc:%Y-%m-%d}"
    except ValueError:
        named = "", "", ""
    return ShownCertificate(fingerprint, *named)
