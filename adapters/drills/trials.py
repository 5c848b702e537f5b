"""What the trials of the fence have shown, read from logs and answers. A trial that was not understood has proven nothing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from adapters.drills.fence import PICKED_UP
from adapters.drills.results import FenceTrial, FenceWall
from adapters.kubernetes.objects import Obj, table

_SILENT = (
    "i/o timeout", "network is unreachable", "no route to host", "host is unreachable", "deadline exceeded",
    "connect: operation not permitted", "connect: permission denied", "connection timed out",
    "temporary failure in name resolution",
)  # fmt: skip
_ANSWERED = (
    "connection refused", "reset by peer", "broken pipe", ": eof", "unexpected eof", "x509:", "tls:", "tls handshake",
    "http response", "timeout awaiting response", "no such host", "server misbehaving", "access denied", "unauthorized",
    "forbidden", "does not exist", "wrong password",
)  # fmt: skip
"""Words of somebody who was reached. A refusal is one: it comes from there, and a plugin that rejects looks just like it."""
_FOR_ALL = ("exceeded quota", "status unknown for quota", "denied the request", "denied request")
"""A quota's, a webhook's and an admission policy's no: they stand in everybody's way, an authorizer only in ours.

The second is the quota's as well: the API server refuses what the quota names while nobody has counted it. The controllers begin
to count a kind up to five minutes after its definition came (seen with Kubernetes 1.36), and then the first words are said.
"""


def egress(log: str, nowhere: tuple[str, ...], *, store: bool = True) -> FenceTrial:
    """A pod with an application's labels must hear nothing: of the store (unless it is on a volume), and of none of `nowhere`."""
    asked = (*(("store",) if store else ()), *nowhere)
    return _silent(FenceWall.EGRESS, "an application's pod", log, asked if nowhere else ())


def movers(log: str, nowhere: tuple[str, ...]) -> FenceTrial:
    """A pod with a mover's labels must hear nothing of these either, none of which is its store."""
    return _silent(FenceWall.MOVERS, "a mover's pod", log, nowhere)


def store(log: str) -> FenceTrial:
    """A pod with a mover's labels must open the repository: an answer that it is not there is none."""
    lines = log.splitlines()
    if "a store reached" in lines and "end" in lines:
        return FenceTrial(FenceWall.STORE, True, "a mover's pod opens the repository")
    return FenceTrial(FenceWall.STORE, False, f"it does not: {_reached(log, 'store')[1]}")


def token(*logs: str) -> FenceTrial:
    """No pod may have found a token, and each must have looked."""
    if any("t there" in log.splitlines() for log in logs):
        return FenceTrial(FenceWall.TOKEN, False, "a pod found a service account's token")
    looked = all("t looked" in log.splitlines() for log in logs)
    return FenceTrial(FenceWall.TOKEN, looked, "no pod found a token" if looked else "a pod did not look")


def refused(wall: FenceWall, answers: Mapping[str, tuple[int, str]]) -> FenceTrial:
    """Each of what must be refused, with HTTP code and words of a trial without effect. 404: its kind is not served at all.

    Only a refusal by what refuses everybody counts: that we may not make it says nothing of who else may.
    """
    admitted = [what for what, (code, _) in answers.items() if 200 <= code < 300]
    shut = [what for what, (code, words) in answers.items() if code == 403 and any(mark in words for mark in _FOR_ALL)]
    unclear = [
        f"{what} (HTTP {code}{words and f': {words}'})"
        for what, (code, words) in answers.items() if code != 404 and what not in (*admitted, *shut)
    ]  # fmt: skip
    if admitted or unclear:
        told = f"admitted: {', '.join(admitted)}" if admitted else f"not clear: {', '.join(unclear)}"
        return FenceTrial(wall, False, told)
    return FenceTrial(wall, bool(shut), f"refused: {', '.join(shut)}" if shut else "nothing was refused")


def names(objects: list[Obj]) -> FenceTrial:
    """No label or annotation of these may be one that a controller for DNS, certificates or tunnels goes by."""
    keys = [key for one in objects for part in ("labels", "annotations") for key in table(one, "metadata", part)]
    found = sorted({key for key in keys if any(word in key.lower() for word in PICKED_UP)})
    told = f"carried: {', '.join(found)}" if found else "nothing that DNS, certificates or tunnels go by"
    return FenceTrial(FenceWall.NAMES, bool(objects) and not found, told)


def _silent(wall: FenceWall, who: str, log: str, asked: tuple[str, ...]) -> FenceTrial:
    if not asked:
        return FenceTrial(wall, False, "there was nothing to ask at: a silence of nobody proves nothing")
    for at in asked:
        open_, why = _reached(log, at)
        if open_ is not False:
            return FenceTrial(wall, False, f"{who} gets to {at}: {why}" if open_ else f"{who} and {at}: {why}")
    return FenceTrial(wall, True, f"{who} hears nothing of {', '.join(asked)}")


def _reached(log: str, what: str) -> tuple[bool | None, str]:
    """Whether somebody was reached there; None where the log does not tell, with the words that it has."""
    lines = log.splitlines()
    at = next((n for n, line in enumerate(lines) if line.startswith(f"a {what} ")), None)
    if "end" not in lines:
        return None, "the trial's log broke off"
    if at is None:
        return None, "it was not tried"
    said = [line[2:] for line in takewhile(lambda line: line.startswith("? "), lines[at + 1 :])]
    words = lines[at].split(" ")[2:]
    if words[:1] == ["reached"]:
        return True, "it opens the repository"
    telling = next((line for line in said if any(mark in line.lower() for mark in (*_ANSWERED, *_SILENT))), "")
    answered = next((line for line in said if any(mark in line.lower() for mark in _ANSWERED)), "")
    if answered or not telling:
        return (True if answered else None), answered or "; ".join(said[-2:]) or f"it ended with {words[-1]}, and said nothing"
    return False, telling
