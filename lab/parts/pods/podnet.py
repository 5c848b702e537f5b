"""The network of one fenced pod: a device `eth0` that counts what comes and goes, and behind it the few addresses that are open.

Of the standard library alone, for sandbox.py, which runs as the pod's first words. Two networks are made: the pod's, and a street
before it in which the open addresses are; a cable (veth(4)) leads from one to the other. The street lives as long as something
listens in it. Nothing of this machine's own network is seen or changed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

Way = tuple[str, int]
OWN, DEVICE = "10.244.255.2", "eth0"
_STREET = "street"
_LOOPBACK, _HOST_ONLY = "127.0.0.1", "255.255.255.255"
_SET_FLAGS, _SET_ADDRESS, _SET_MASK, _ADD_ROUTE = 0x8914, 0x8916, 0x891C, 0x890B  # ioctls of netdevice(7), and of its routes
_UP, _TO_HOST = 0x1, 0x5
_NEW_LINK, _MAKE, _CHANGE = 16, 0x605, 0x5  # rtnetlink(7): asked for, to be answered; one that must not be there yet
_NAME, _LINK_INFO, _INTO = 3, 18, 28
_KIND, _KIND_DATA, _PEER = 1, 2, 1
_CLONE_NEWNET = 0x40000000
_WAITING = 16


def street(addresses: list[Way]) -> list[socket.socket]:
    """Make these addresses this network's own, and listen on them. None of them: no device is up.

    An address of one alone: to any other the network is unreachable, as it is where a packet is dropped, only sooner.
    """
    if addresses:
        _up("lo")
        for at, (host, _) in enumerate(addresses):
            _address(f"lo:{at}" if at else "lo", host)
    return [socket.create_server(one, backlog=_WAITING) for one in addresses]


def move_in(addresses: list[Way]) -> None:
    """From here on this process is in a network of its own, from which these addresses lead into the street.

    Where this machine has no such cables and something is open, or what is open has the address that is each pod's own, it stays in
    the street, and nothing is counted.
    """
    if addresses and (_LOOPBACK in (host for host, _ in addresses) or not cable()):
        return
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as outside:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        _up("lo")
        # Without its mask all of 127.0.0.0/8 would be the pod's own, and an address that is not open refuse in place of silence.
        _address("lo", _LOOPBACK)
        if not addresses:
            return
        with Path("/proc/self/ns/net").open() as here:
            into = _attribute(_NAME, DEVICE.encode() + b"\0") + _attribute(_INTO, struct.pack("=I", here.fileno()))
            _ask(outside, _CHANGE, into)
    _lead(DEVICE, OWN, [host for host, _ in addresses])


def cable() -> bool:
    """Lay a cable, both ends here, and set up the street's; False where this machine has none."""
    peer = _link() + _attribute(_NAME, DEVICE.encode() + b"\0")
    info = _attribute(_KIND, b"veth\0") + _attribute(_KIND_DATA, _attribute(_PEER, peer))
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as here:
            _ask(here, _MAKE, _attribute(_NAME, _STREET.encode() + b"\0") + _attribute(_LINK_INFO, info))
        _lead(_STREET, "", [OWN])
    except OSError:
        return False
    return True


def _lead(device: str, own: str, others: list[str]) -> None:
    """Set this device up as `own`, with a way to each of the others."""
    # The lab's servers have addresses of this machine alone, which leave no other device otherwise.
    Path(f"/proc/sys/net/ipv4/conf/{device}/route_localnet").write_text("1")
    with suppress(FileNotFoundError):  # so that nothing is counted which nobody sent
        Path(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6").write_text("1")
    _up(device)
    if own:
        _address(device, own)
    for host in dict.fromkeys(others):
        name = ctypes.create_string_buffer(device.encode())
        places = (_in(host), _in("0"), _in(_HOST_ONLY))
        _control(_ADD_ROUTE, struct.pack("@L16s16s16sHhLPhP3L", 0, *places, _TO_HOST, 0, 0, 0, 0, ctypes.addressof(name), 0, 0, 0))


def _up(device: str) -> None:
    _control(_SET_FLAGS, struct.pack("16sh22x", device.encode(), _UP))


def _address(device: str, host: str) -> None:
    for request, value in ((_SET_ADDRESS, host), (_SET_MASK, _HOST_ONLY)):
        _control(request, struct.pack("16s16s8x", device.encode(), _in(value)))


def _in(host: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(host))


def _control(request: int, told: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, request, told)


def _link() -> bytes:
    return struct.pack("=BxHiII", 0, 0, 0, 0, 0)


def _attribute(kind: int, body: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(body), kind) + body + b"\0" * (-len(body) % 4)


def _ask(kernel: socket.socket, flags: int, attributes: bytes) -> None:
    body = _link() + attributes
    kernel.send(struct.pack("=IHHII", 16 + len(body), _NEW_LINK, flags, 1, 0) + body)
    (code,) = struct.unpack_from("=i", kernel.recv(4096), 16)
    if code:
        raise OSError(-code, os.strerror(-code))
