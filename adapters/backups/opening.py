"""How a repository is opened: its place to list, and restic's arguments and environment. Starts nothing itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.backups.results import Repository
from adapters.backups.stores.local import LocalPlace
from adapters.backups.stores.places import Place, s3_address, sftp_address
from adapters.secrets.resolver import Secrets
from adapters.trust import SshTrust
from engine.errors import PermanentError
from engine.secrets import Secret
from house.files.paths import at_home

if TYPE_CHECKING:
    from adapters.backups.stores.s3 import S3Clients

READ_ONLY = ("--no-lock", "--no-cache", "--json")
"""Looking never locks (that would write to the store) and never reads another run's cache."""

_LOOKUP = {"path": "path", "virtual": "dns"}  # restic's words for the two styles


@dataclass(frozen=True)
class Opened:
    """A repository ready to be asked. `options` go behind every restic command, `env` holds all that is secret."""

    repository: Repository
    place: Place
    options: tuple[str, ...]
    env: Mapping[str, str | Secret]


class Openings:
    """Makes `Opened` out of references. `ssh` pins the host keys of SFTP servers; None for the user's own known_hosts."""

    def __init__(self, secrets: Secrets, ssh: SshTrust | None = None) -> None:
        self._secrets = secrets
        self._ssh = ssh or SshTrust(at_home(Path("~/.ssh/known_hosts")))

    @cached_property
    def _clients(self) -> S3Clients:
        from adapters.backups.stores.s3 import S3Clients  # boto3 is for those who have such a store

        return S3Clients()

    def open(self, repository: Repository) -> Opened:
        """Resolve what the repository needs. Raises the errors of Secrets, PermanentError for an address of unknown form."""
        env: dict[str, str | Secret] = {
            name: self._secrets.resolve_as(name, ref)
            for name, ref in repository.environment
            if not name.startswith("RESTIC_")
        }
        env |= {
            # In the environment, not as -r: an address may hold what redaction takes for a secret (a region, a bucket).
            "RESTIC_REPOSITORY": repository.address,
            "RESTIC_PASSWORD": self._secrets.resolve(repository.password),
            "RESTIC_PROGRESS_FPS": "0.2",
        }
        if repository.ca_file:
            env["RESTIC_CACERT"] = repository.ca_file
        if s3_address(repository.address):
            return self._s3(repository, env)
        if sftp := sftp_address(repository.address):
            from adapters.backups.stores.sftp import SftpPlace  # paramiko is for those who have such a server

            if "SSH_AUTH_SOCK" in os.environ:
                env["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
            options = (*READ_ONLY, "-o", f"sftp.args={self._ssh.options}")
            return Opened(repository, SftpPlace(sftp, self._ssh), options, env)
        if not Path(repository.address).is_absolute():
            raise PermanentError(
                f"the address of {repository.name} has a form that cannot be opened",
                evidence=(repository.address,),
                hint="s3:https://HOST/BUCKET/PATH, sftp:USER@HOST:/PATH or an absolute path",
            )
        return Opened(repository, LocalPlace(Path(repository.address)), READ_ONLY, env)

    def _s3(self, repository: Repository, env: dict[str, str | Secret]) -> Opened:
        from adapters.backups.stores.s3 import DEFAULT_REGION, S3Credentials, S3Place

        address = s3_address(repository.address)
        assert address is not None
        if repository.region:
            env["AWS_DEFAULT_REGION"] = repository.region
        env.setdefault("AWS_DEFAULT_REGION", DEFAULT_REGION)
        token = env.get("AWS_SESSION_TOKEN")
        credentials = S3Credentials(
            key_id=_plain(_given(repository, env, "AWS_ACCESS_KEY_ID")),
            key=_secret(_given(repository, env, "AWS_SECRET_ACCESS_KEY")),
            session_token=token if isinstance(token, Secret) else None,
            region=_plain(env["AWS_DEFAULT_REGION"]),
            ca_file=repository.ca_file,
            addressing="virtual" if repository.addressing == "virtual" else "path",
        )
        place = S3Place(self._clients.get(address.endpoint, credentials), address)
        return Opened(repository, place, (*READ_ONLY, "-o", f"s3.bucket-lookup={_LOOKUP[credentials.addressing]}"), env)


def _given(repository: Repository, env: Mapping[str, str | Secret], name: str) -> str | Secret:
    if name not in env:
        raise PermanentError(f"{repository.name} is in a bucket, and its references name no {name}")
    return env[name]


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
