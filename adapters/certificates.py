"""When certificates end, out of their PEM: an authority's, a server's that signs itself, or any other. Asks nobody."""

from __future__ import annotations

from cryptography import x509


def ends_at(pem: str) -> float | None:
    """The end of one certificate in epoch seconds; None for what is none."""
    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    except ValueError:
        return None
