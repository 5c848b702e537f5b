"""By what a NAS's certificate is known: compared after the handshake, before the first byte of ours. Knows nothing above TLS."""

from __future__ import annotations

import hashlib
import socket
import ssl
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from adapters.nas.results import Trouble
from adapters.nas.wording import Stopped, stopped
from house.values.nas import Nas

_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_* of OpenSSL


class PinnedContext(ssl.SSLContext):
    """A client's context that takes only a certificate with one SHA-256 fingerprint; whatever wraps a socket with it is checked."""

    pin = ""

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Shake hands, then compare. Stopped for another certificate: nothing of ours has been sent by then."""
        wrapped = super().wrap_socket(sock, *args, **kwargs)
        try:
            compared(wrapped.getpeercert(True) or b"", self.pin)
        except Stopped:
            wrapped.close()
            raise
        return wrapped


def compared(der: bytes, pin: str) -> None:
    """Nothing for the certificate that is pinned; raises Stopped for another."""
    found = fingerprint_of(der)
    if found != pin:
        raise stopped(
            Trouble.CERTIFICATE, f"its fingerprint is {found}, and the settings say {pin}",
            "look at the NAS itself (System > Certificates) whether it has a new one; if so, write its fingerprint",
        )  # fmt: skip


def context_of(nas: Nas) -> ssl.SSLContext:
    """What a connection to this NAS is made with. Stopped when its CA file cannot be read."""
    context: ssl.SSLContext
    if nas.fingerprint:
        pinned = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        pinned.pin = nas.fingerprint.upper()
        pinned.check_hostname, pinned.verify_mode = False, ssl.CERT_NONE  # the pin says more than an authority would
        context = pinned
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(nas.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise stopped(Trouble.CERTIFICATE, f"its CA file {nas.ca_file} cannot be read: {type(error).__name__}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def fingerprint_of(der: bytes) -> str:
    """SHA-256 as `AA:BB:…`."""
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def not_trusted(error: ssl.SSLCertVerificationError, nas: Nas) -> Stopped:
    """A certificate that the CA file does not vouch for, by what is wrong with it."""
    hint = "compare ca_file with what signed the NAS's certificate (System > Certificates), or pin its fingerprint"
    if error.verify_code == _EXPIRED:
        return stopped(Trouble.CERTIFICATE, "it has expired", "renew it on the NAS (System > Certificates)")
    if error.verify_code == _NOT_YET:
        return stopped(Trouble.CERTIFICATE, "it is not valid yet", "compare the clocks of the NAS and of this machine")
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return stopped(Trouble.CERTIFICATE, f"it is another host's, not {nas.host}'s", "write url with a name that it bears")
    return stopped(Trouble.CERTIFICATE, f"{nas.ca_file} does not vouch for it: {error.verify_message}", hint)


def ends(der: bytes) -> float | None:
    """When a certificate ends, in epoch seconds; None for what is none."""
    try:
        return x509.load_der_x509_certificate(der).not_valid_after_utc.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def day(at: float) -> str:
    """An epoch second as a day."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
