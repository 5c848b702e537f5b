"""One call of the Talos API: who may make it, on which machine it acts, how a refusal becomes a gRPC status. Knows no TLS."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from lab.world.machines.machine import Machine, Port, Refused
from lab.world.machines.talos import TalosWorld

ADMIN = frozenset({"os:admin"})
OPERATE = ADMIN | {"os:operator"}
READ = OPERATE | {"os:reader"}
ETCD_READ = READ | {"os:etcd:backup"}
MAINTENANCE_ROLES = frozenset({"os:reader"})


@dataclass(frozen=True)
class Call:
    """A call as its target sees it."""

    talos: TalosWorld
    machine: Machine
    roles: frozenset[str]
    request: Any
    told: Any = None

    @property
    def maintenance(self) -> bool:
        """Whether the target is in maintenance."""
        return self.machine.port is Port.MAINTENANCE

    def not_simulated(self, what: str) -> Refused:
        """The refusal of what Talos has and the lab has not, by its name; it is kept for `lab.status`."""
        self.talos.unknown.append(what)
        self.talos.world.happened("talos", f"not known to the lab: {what}")
        return Refused("Unimplemented", f"{what} is not simulated by the lab")

    def need_control_plane(self, api: str) -> None:
        """Refuse what only control planes serve."""
        if not self.machine.control_plane:
            raise Refused("Unimplemented", f"{api} is only available on control plane nodes")


@dataclass(frozen=True)
class Unary:
    """A call with one reply; `container` wraps one message per answering node (None: the message is the reply itself).

    `mutation` names the mutation for faults as (method of our `port`, target), None for calls our port never makes.
    `ask`: a program is asked first, on a thread of its own and without the World's lock; `act` finds its word in `call.told`.
    """

    path: str
    request: type[Message]
    reply: type[Message]
    roles: frozenset[str]
    act: Callable[[Call], Any]
    in_maintenance: bool = True
    mutation: Callable[[Call], tuple[str, str] | None] = lambda call: None
    port: str = "talos"
    ask: Callable[[Call], Any] | None = None


@dataclass(frozen=True)
class Streamed:
    """A call with a stream of replies."""

    path: str
    request: type[Message]
    reply: type[Message]
    roles: frozenset[str]
    act: Callable[[Call], AsyncIterator[Any]]
    mutation: Callable[[Call], tuple[str, str] | None] = lambda call: None
    port: str = "talos"


@dataclass(frozen=True)
class Uploaded:
    """A call with a stream of Data that ends in one reply: `act` gets all of its bytes. It is no mutation of its own: what is
    uploaded does nothing until another call wants it."""

    path: str
    reply: type[Message]
    roles: frozenset[str]
    act: Callable[[Call, bytes], Any]


def status_of(code: str) -> Status:
    """The gRPC status of a code's name (`FailedPrecondition`)."""
    if code == "Canceled":
        return Status.CANCELLED
    return Status[re.sub(r"(?<!^)(?=[A-Z])", "_", code).upper()]


def grpc_error(refused: Refused) -> GRPCError:
    """A machine's refusal as grpclib sends it."""
    return GRPCError(status_of(refused.code), refused.text)


def unreachable(address: str) -> Refused:
    """What a call to a machine that does not answer ends with."""
    return Refused(
        "Unavailable",
        f'connection error: desc = "transport: Error while dialing: dial tcp {address}:50000: connect: connection refused"',
    )
