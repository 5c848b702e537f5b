"""A NAS as the settings name it, and what of it the house uses. Nouns only: knows no protocol and no manifest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from house.settings.references import SecretRef

HTTPS_PORT = 443


class Export(Enum):
    """How a folder of the NAS is handed out."""

    NFS = "NFS"
    SMB = "SMB"


@dataclass(frozen=True)
class NasExport:
    """One export that must be there: a path for NFS, the share's name for SMB. `wanted_by` says who wants it, for people;
    `movers`: it is what the house mounts into VolSync's movers, so that repositories lie on it."""

    kind: Export
    place: str
    wanted_by: str
    movers: bool = False

    @property
    def told(self) -> str:
        """`NFS /mnt/tank/backup`."""
        return f"{self.kind.value} {self.place}"


@dataclass(frozen=True)
class Nas:
    """One NAS: where its API is, by what its certificate is known (`fingerprint` or `ca_file`, the other is ""), who asks, and
    what must be there. `also` are its other names and addresses, `vm` the id of the VM that it is, 0 for a machine; `vm_name` is
    what that VM is called on Proxmox: one of another name is another.

    `datasets` and `exports` are those of the settings and what manifests mount of this server. Ages in seconds, 0.0 = any (of
    `vm_backup_age`: none is asked for); `snapshot_age` -1.0: as the NAS's own schedule says. `accepted`: findings (part and code)
    that stop no restore, and why. `ssh_host` is asked by SSH, as `ssh_user`, where its API cannot be had, and by SFTP for what its
    exports hold; "" for nowhere. `known_hosts` and `ssh_key` are files: the servers' keys, and the key that logs in ("": the
    user's own). `smb_user` and `smb_password` list its SMB shares; None: nobody is named to them.
    """

    name: str
    host: str
    port: int
    fingerprint: str
    ca_file: str
    username: str
    api_key: SecretRef
    also: tuple[str, ...] = ()
    vm: int = 0
    vm_name: str = ""
    datasets: tuple[str, ...] = ()
    exports: tuple[NasExport, ...] = ()
    scrub_age: float = 45 * 86400.0
    snapshot_age: float = -1.0
    replication_age: float = 0.0
    vm_backup_age: float = 35 * 86400.0
    ssh_host: str = ""
    ssh_port: int = 22
    ssh_user: str = "root"
    known_hosts: str = ""
    ssh_key: str = ""
    smb_user: str = ""
    smb_password: SecretRef | None = None
    accepted: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every name under which manifests and repositories may mean it, in small letters."""
        return frozenset(name.lower().rstrip(".") for name in (self.host, *self.also))

    @property
    def address(self) -> str:
        """`host:port`, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
