"""The port of TLS Secrets that are kept beside the settings: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.tls.results import TlsSealed, TlsSecret, TlsThere


class TlsView(Protocol):
    """The certificates that cert-manager has, and those that were kept; no key of them is told to anybody."""

    def saved(self) -> tuple[TlsSecret, ...] | None:
        """What the file beside the settings holds; None where there is none. PermanentError where it does not open,
        SettingsInvalid where nobody can look whether it is there."""

    def there(self) -> TlsThere:
        """What the cluster has."""

    def sealed(self, now: float) -> TlsSealed:
        """Every one that cert-manager made, encrypted for the house's own age key; of those that the file has and the cluster has
        not, the ones that are valid at `now` stay in it. PermanentError where the file does not open."""


class Tls(TlsView, Protocol):
    """Adds putting one back."""

    def put(self, one: TlsSecret) -> None:
        """Make the Secret; one of that name that is there stays as it is."""
