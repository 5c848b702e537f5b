"""When certificates end, out of their PEM: an authority's, a server's that signs itself, or any other. Asks nobody."""

from __future__ import annotations

import re

from cryptography import x509

_PEM = re.compile(r"-----BEGIN (?:X509 )?CERTIFICATE-----.+?-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)


def certificates_in(text: str) -> tuple[str, ...]:
    """The PEM of each certificate in a text: a file of authorities often holds the former one beside its heir."""
    return tuple(_PEM.findall(text))


def ends_at(pem: str) -> float | None:
    """The end of one certificate in epoch seconds; None for what is none."""
    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    except ValueError:
        return None
