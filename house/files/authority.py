"""The file of a CA that vouches for a server: whether clients could read it as one. Asks no server."""

from __future__ import annotations

from pathlib import Path

from house.files.paths import no_file

_BETTER = "name the CA's file, seen from this file"
_PEM = "name the CA's certificate as PEM: text that begins with -----BEGIN CERTIFICATE-----"


def ca_amiss(file: Path) -> tuple[str, str] | None:
    """What is wrong with it, and what would be right; None for a file from which OpenSSL, as every client of ours, takes at least
    one certificate. SettingsInvalid where it cannot be looked at."""
    if told := no_file(file):
        return told, _BETTER
    import ssl  # only of a house that has a CA of its own

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        return "holds no certificate that can be read", _PEM
    except OSError as error:
        return f"cannot be read ({error.strerror})", "check its permissions"
    return None if context.cert_store_stats()["x509"] else ("holds no certificate", _PEM)
