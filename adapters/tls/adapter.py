"""TLS Secrets of a real cluster, and the file that age keeps them in. Only reads Secrets of cert-manager's, and overwrites none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.age.adapter import Age
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import SECRET, Kind
from adapters.kubernetes.objects import Obj, name_of, namespace_of
from adapters.tls.results import TLS, TlsSealed, TlsSecret, TlsThere, is_made, read, written
from engine.secrets import Secret
from engine.text import jsontext
from house.files.paths import is_there

CERTIFICATE = Kind("cert-manager.io", "v1", "certificates", "Certificate")
_OF_TYPE = f"type={TLS}"


class KubernetesTls:
    """See port.Tls. `file` is what they are kept in; `key` and `recipient` are the two halves of the house's age key."""

    def __init__(self, clients: Clients, age: Age, file: Path, key: Callable[[], Secret], recipient: str) -> None:
        self._clients, self._age, self._file, self._key, self._recipient = clients, age, file, key, recipient

    def saved(self) -> tuple[TlsSecret, ...] | None:
        """See port.TlsView."""
        return read(self._age.opened(self._file, self._key())) if is_there(self._file) else None

    def there(self) -> TlsThere:
        """See port.TlsView. No key comes over for it."""
        client = self._clients.main()
        found = client.list_objects(SECRET, fields=_OF_TYPE, metadata_only=True)
        made = frozenset(_key_of(one) for one in found if is_made(one))
        return TlsThere(frozenset(map(_key_of, found)), made, bool(client.list_if_served(CERTIFICATE)))

    def sealed(self, now: float) -> TlsSealed:
        """See port.TlsView. In the clear they are in memory alone."""
        kept = [jsontext.read(one.manifest.reveal(), jsontext.an_object) for one in self.saved() or () if one.valid(now)]
        made = filter(is_made, self._clients.main().list_objects(SECRET, fields=_OF_TYPE))
        found = {_key_of(one): one for one in (*kept, *made)}
        plain, ends = written(one for _, one in sorted(found.items()))
        return TlsSealed(self._age.sealed(plain, self._recipient), ends)

    def put(self, one: TlsSecret) -> None:
        """See port.Tls."""
        with suppress(AlreadyThere):
            self._clients.main().create(SECRET, jsontext.read(one.manifest.reveal(), jsontext.an_object), one.namespace)


def _key_of(obj: Obj) -> str:
    return f"{namespace_of(obj)}/{name_of(obj)}"
