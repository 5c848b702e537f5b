"""The port of TLS Secrets, in process, on the modelled cluster; the file beside the settings is a real one, and not encrypted."""

from __future__ import annotations

import json

from adapters.tls.results import TlsSealed, TlsSecret, TlsThere
from engine.errors import PermanentError
from engine.secrets import Secret
from engine.text.jsontext import Malformed, an_object, read_file
from house.files.paths import is_there
from house.known.inventory import certificates_path
from house.model import House
from lab.world.cluster.kubernetes import KubeWorld


class ModelledTls:
    """Tls port (adapters.tls.port)."""

    def __init__(self, kube: KubeWorld, house: House) -> None:
        self._kube, self._file = kube, certificates_path(house)

    def saved(self) -> tuple[TlsSecret, ...] | None:
        """See port.TlsView."""
        if not is_there(self._file):
            return None
        try:
            found: dict[str, float] = read_file(self._file, an_object)
        except Malformed as error:
            raise PermanentError(f"{self._file} does not open with the house's age key: no identity matched") from error
        places = ((key.split("/", 1), ends) for key, ends in found.items())
        return tuple(TlsSecret(place[0], place[1], ends, Secret("a modelled one's key")) for place, ends in places)

    def there(self) -> TlsThere:
        """See port.TlsView."""
        with self._kube.world.looking():
            objects = self._kube.objects()
            made = frozenset(map("/".join, objects.tls))
            return TlsThere(made, made, bool(objects.certificates))

    def sealed(self, now: float) -> TlsSealed:
        """See port.TlsView."""
        kept = {one.key: one.ends or 0.0 for one in self.saved() or () if one.valid(now)}
        with self._kube.world.looking():
            ends = kept | {"/".join(key): end for key, end in sorted(self._kube.objects().tls.items())}
            return TlsSealed(json.dumps(ends), ends)

    def put(self, one: TlsSecret) -> None:
        """See port.Tls."""
        with self._kube.world.looking():
            self._kube.objects().tls.setdefault((one.namespace, one.name), one.ends or 0.0)
