"""The SFTP door itself: what becomes of one connection is none of the next one's business."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from lab.wire.sftp.door import SftpDoor
from lab.wire.sftp.keys import SshKeys


class Noting:
    """Serves nothing, and notes who came."""

    told = "nobody"

    def __init__(self) -> None:
        self.served: list[Path] = []

    def serve(self, connection: socket.socket, tree: Path) -> None:
        """See Server."""
        self.served.append(tree)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_folder_that_cannot_be_made_turns_one_away_and_none_after_him(tmp_path: Path) -> None:
    server = Noting()
    trees = iter((None, OSError("no space left on device"), tmp_path))

    def tree() -> Path | None:
        found = next(trees)
        if isinstance(found, OSError):
            raise found
        return found

    keys = SshKeys(tmp_path / "ssh")
    with closing(SftpDoor(keys, tree, server=server).start()) as door:
        for _ in range(3):
            with socket.create_connection((door.address, door.port), timeout=30.0) as came:
                assert came.recv(1) == b""
    assert server.served == [tmp_path]
