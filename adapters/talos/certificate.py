"""Which Talos API answers at an address, told by its TLS certificate alone. Knows no gRPC and no program.

A node in maintenance shows a throw-away certificate and asks for none; a configured node shows one of its cluster's Talos CA
and refuses whoever has none of the same CA.
"""

from __future__ import annotations

import socket
import ssl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from adapters.talos.results import Phase
from engine.errors import PermanentError, TransientError

PORT = 50000
MAINTENANCE_NAME = "maintenance-service.talos.dev"
# The client's side of an HTTP/2 start: the preface and an empty SETTINGS frame (RFC 9113, 3.4). Whoever serves us answers.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")


def look(address: str, os_ca: str, *, port: int = PORT, timeout_s: float = 5.0) -> Phase:
    """The phase of the machine at `address`, judged against our Talos CA (PEM; "" when we have none yet).

    Raises TransientError when something answers that is no Talos API, or when a machine in maintenance answers no more,
    PermanentError when it is configured and we have no CA
    to judge it by. Both steps of the look (connecting, shaking hands) may take `timeout_s`.
    """
    shown, served = _shown(address, port, timeout_s)
    if shown is None:
        return Phase.UNREACHABLE
    if os_ca and _issued_by(shown, os_ca):
        return Phase.SECURE
    if _common_name(shown) == MAINTENANCE_NAME:
        if served:
            return Phase.MAINTENANCE
        # It hung up or kept silent: on its way from maintenance to its configuration it does just that.
        raise TransientError(f"the machine at {address} showed a maintenance certificate and then did not answer")
    if not os_ca:
        raise PermanentError(
            f"cannot tell whose Talos node {address} is: our own Talos CA is not known yet",
            hint="the CA is in the Talos secrets bundle: see that it decrypts",
        )
    return Phase.FOREIGN


def _shown(address: str, port: int, timeout_s: float) -> tuple[x509.Certificate | None, bool]:
    """The certificate that was shown (None: nobody answers), and whether we are served without one of our own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is trusted or sent here: the certificate itself is what is looked at.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((address, port), timeout=timeout_s) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True)
            if shown is None:
                return None, False
            return x509.load_der_x509_certificate(shown), _served(wrapped)
    except (TimeoutError, ConnectionError, ssl.SSLEOFError):
        return None, False
    except ssl.SSLError as error:
        raise TransientError(
            f"what answers at {address}:{port} is no Talos API", evidence=(str(error.reason),)
        ) from error
    except OSError:
        return None, False


def _served(wrapped: ssl.SSLSocket) -> bool:
    try:
        wrapped.sendall(_PREFACE)
        return bool(wrapped.recv(9))
    except OSError:
        # A refusal for want of a certificate comes as an alert, or, by a race, as a reset.
        return False


def _issued_by(certificate: x509.Certificate, ca_pem: str) -> bool:
    for ca in x509.load_pem_x509_certificates(ca_pem.encode()):
        try:
            certificate.verify_directly_issued_by(ca)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
