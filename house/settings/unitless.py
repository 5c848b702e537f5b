"""What a number without its unit most likely means: the texts that a person is offered, each of which the settings take.

Knows no section. A number that is nothing likely gets the example instead.
"""

from __future__ import annotations

MIB_OF_TIB = 2**20
DAY_S, HOUR_S = 24 * 3600, 3600


def size(number: int) -> str:
    """Of bytes, in a key that speaks of bytes."""
    return f"{number}B" if 0 < number <= 2**50 else "20GiB"


def disk(number: int) -> str:
    """Of a disk: GiB, as Proxmox shows them, or what comes to whole ones if it is MiB or bytes."""
    if 0 < number <= 1024:
        return f"{number}GiB"
    for unit, most in ((2**10, MIB_OF_TIB * 2**10), (2**30, 2**50)):
        if 0 < number <= most and number % unit == 0:
            return f"{number // unit}GiB"
    return "20GiB"


def memory(number: int) -> str:
    """Of a VM's memory: Proxmox shows MiB, people speak of GiB."""
    if 0 < number < 512:
        return f"{number}GiB"
    if 1024 <= number <= MIB_OF_TIB:
        return f"{number}MiB" + ("" if number % 1024 else f", or {number // 1024}GiB")
    return f"{number // 2**30}GiB" if 0 < number <= 2**50 and number % 2**30 == 0 else "8GiB"


def age(number: float) -> str:
    """Of a backup: hours, days while they are few, seconds where hours would be months."""
    if not _whole(number):
        return "36h"
    if number <= 31:
        return f"{number:.0f}h or {number:.0f}d"
    return f"{number:.0f}{'h' if number < HOUR_S else 's'}"


def wait(number: float) -> str:
    """Of waiting: minutes, hours while they are few, seconds where minutes would be hours."""
    if not _whole(number):
        return "10m"
    if number <= 12:
        return f"{number:.0f}m or {number:.0f}h"
    return f"{number:.0f}{'m' if number <= 120 else 's'}"


def share(number: float) -> str:
    """Of a whole: a number of percent, as it stands."""
    return f"{number:.6f}".rstrip("0").rstrip(".") + "%" if 1e-6 <= number <= 100 else "1%"


def _whole(number: float) -> bool:
    """Whether it is one that a duration can be of: whole, more than nothing, and less than ten years of seconds."""
    return 0 < number <= 3650 * DAY_S and number == int(number)
