"""The real sshd, one for each connection, with a folder of the lab where its sessions see /mnt. Reads only, and only by SFTP.

It runs as whoever runs the lab. A session is in a mount namespace of its own; where this machine allows none, or has no sshd, the
stand-in serves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.wire.sftp.keys import SshKeys

_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")
_ENDS_S = 5.0
# A session runs what its subsystem is, or nothing: whoever asks for a command hears that there is none.
_SESSION = """\
#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in "$0 "*) ;; *) echo "no such command" >&2; exit 127 ;; esac
tree="${{SSH_ORIGINAL_COMMAND#"$0 "}}"
exec unshare {rights} --mount --propagation private /bin/sh -c 'mount --bind "$1" /mnt && exec {server} -R' sh "$tree"
"""
_CONFIG = """\
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitTTY no
AllowTcpForwarding no
PidFile none
LogLevel ERROR
ForceCommand {folder}/session
"""
# As root it wants a folder that a package's service makes as it starts; nothing of this machine's own /run is touched.
_ROOTED = 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"'


@dataclass(frozen=True)
class Sshd:
    """The program with its configuration below the folder of `keys`."""

    program: str
    keys: SshKeys

    @property
    def told(self) -> str:
        """What serves, for people."""
        return f"the real sshd ({self.program})"

    def serve(self, connection: socket.socket, tree: Path) -> None:
        """Be the server of this connection until it ends."""
        folder = self.keys.folder
        argv = [self.program, "-i", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")]
        argv += ["-o", f"Subsystem sftp {folder}/session {tree}"]
        if os.geteuid() == 0:
            argv = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _ROOTED, "sh", *argv]
        both = connection.fileno()
        ended = subprocess.Popen(argv, stdin=both, stdout=both, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            ended.wait()
        finally:
            if ended.poll() is None:
                ended.kill()
                ended.wait(_ENDS_S)


def real_sshd(keys: SshKeys) -> Sshd | None:
    """The one of this machine, configured; None where there is none that could serve here."""
    program = server_program("sshd")
    server = next((one for one in _SERVERS if Path(one).is_file()), None)
    if program is None or server is None or not _may_log_in() or not Path("/mnt").is_dir() or not _namespaces():
        return None
    folder = keys.folder
    session = folder / "session"
    session.write_text(_SESSION.format(rights="" if os.geteuid() == 0 else "--user --map-root-user", server=server))
    session.chmod(0o700)
    (folder / "sshd_config").write_text(_CONFIG.format(folder=folder))
    return Sshd(program, keys)


def server_program(name: str) -> str | None:
    """Where a server's program is on this machine, also where only root's PATH leads; None where it is not."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def login() -> str:
    """Whom sshd lets in: it can be nobody but who started it."""
    return pwd.getpwuid(os.getuid()).pw_name


def _may_log_in() -> bool:
    """Whether this user has a shell: without one sshd lets it in, and runs nothing for it."""
    shell = Path(pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh")
    return shell.name not in ("nologin", "false") and os.access(shell, os.X_OK)


@cache
def _namespaces() -> bool:
    """Whether a mount namespace may be made here."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    try:
        tried = subprocess.run(["unshare", *rights, "--mount", "true"], capture_output=True, check=False, timeout=_ENDS_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
