"""Where a repository of kopia lies, as a place to list and in kopia's words. Starts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.backups.opening import Openings
from adapters.backups.results import Repository
from adapters.backups.stores.places import Place, s3_address
from adapters.kopia.client import Store, words_of
from engine.errors import PermanentError
from engine.secrets import Secret

_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class KopiaOpened:
    """A repository ready to be listed (`place`) and to be connected to (`store`)."""

    repository: Repository
    place: Place
    store: Store


class KopiaOpenings:
    """Makes `KopiaOpened` out of references, by the same places as restic's."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings

    def open(self, repository: Repository) -> KopiaOpened:
        """Raises the errors of Secrets, and PermanentError for what cannot be opened from here."""
        if repository.address.startswith("sftp:"):
            raise PermanentError(
                f"{repository.name}: a repository of kopia is not opened by sftp from here",
                evidence=(repository.address,),
                hint="mount the share, and name the folder in backups.open_as",
            )
        opened = self._openings.open(repository)
        # The password has one name for restic and another for kopia; what else there is are the keys of a bucket.
        env: dict[str, str | Secret] = {name: value for name, value in opened.env.items() if name in _S3_KEYS}
        env["KOPIA_PASSWORD"] = opened.env["RESTIC_PASSWORD"]
        return KopiaOpened(repository, opened.place, Store(_words(repository), env))


def _words(repository: Repository) -> tuple[str, ...]:
    address = s3_address(repository.address)
    if address is None:
        return ("filesystem", f"--path={repository.address}")
    url = urlsplit(address.endpoint)
    plain = ("--disable-tls",) if url.scheme == "http" else ()
    options = [
        ("bucket", address.bucket), ("endpoint", url.netloc), ("region", repository.region),
        ("prefix", f"{address.prefix}/" if address.prefix else ""), ("root-ca-pem-path", repository.ca_file),
    ]  # fmt: skip
    return ("s3", *words_of(options), *plain)
