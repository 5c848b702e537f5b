"""How the files of a control plane's etcd are called in the state folder, and whose a name says that one is. Knows no step."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from adapters.etcd.results import EtcdSnapshot
from house.model import Node

SNAPSHOT, COPY = "snapshot", "copy"


def file_name(node: Node, kind: str, now: float) -> str:
    """How a file of this node is called; `now` in epoch seconds."""
    return f"{node.name}-{datetime.fromtimestamp(now, UTC).strftime('%Y%m%d-%H%M%S')}.{kind}"


def copied_from(node: Node, one: EtcdSnapshot) -> bool:
    """Whether this file is a copy off that node's disk, by the whole of its name: another node's may begin with this one's."""
    return re.fullmatch(rf"{re.escape(node.name)}-\d{{8}}-\d{{6}}\.{COPY}", one.name) is not None
