"""What the trials of the fence have shown, read from logs and answers. A trial that was not understood has proven nothing."""

from __future__ import annotations

from adapters.drills.fence import PICKED_UP
from adapters.drills.results import FenceTrial, FenceWall
from adapters.kubernetes.objects import Obj, table

_CUT_OFF = (
    "i/o timeout", "connection refused", "network is unreachable", "no route to host", "no such host", "deadline exceeded",
    "operation not permitted", "temporary failure in name resolution", "server misbehaving", "connection timed out",
)  # fmt: skip
_TIMED_OUT = 124


def egress(log: str) -> FenceTrial:
    """A pod with an application's labels must reach neither the store nor the API server."""
    for letter, what in (("s", "the store"), ("k", "the API server")):
        open_, why = _reached(log, letter)
        if open_ is not False:
            return FenceTrial(FenceWall.EGRESS, False, f"an application's pod reaches {what}" if open_ else f"{what}: {why}")
    return FenceTrial(FenceWall.EGRESS, True, "an application's pod reaches neither store nor API server")


def store(log: str) -> FenceTrial:
    """A pod with a mover's labels must reach the repository."""
    open_, why = _reached(log, "s")
    return FenceTrial(FenceWall.STORE, open_ is True, "a mover's pod opens the repository" if open_ else f"it does not: {why}")


def token(*logs: str) -> FenceTrial:
    """No pod may have found a token, and each must have looked."""
    if any("t there" in log.splitlines() for log in logs):
        return FenceTrial(FenceWall.TOKEN, False, "a pod found a service account's token")
    looked = all("t looked" in log.splitlines() for log in logs)
    return FenceTrial(FenceWall.TOKEN, looked, "no pod found a token" if looked else "a pod did not look")


def quota(answers: dict[str, int]) -> FenceTrial:
    """Each of what must be refused, with the HTTP code of a trial without effect. 404: its kind is not served at all."""
    admitted = [what for what, code in answers.items() if 200 <= code < 300]
    unclear = [f"{what} (HTTP {code})" for what, code in answers.items() if code not in (403, 404) and not 200 <= code < 300]
    if admitted or unclear:
        told = f"admitted: {', '.join(admitted)}" if admitted else f"not clear: {', '.join(unclear)}"
        return FenceTrial(FenceWall.QUOTA, False, told)
    refused = [what for what, code in answers.items() if code == 403]
    return FenceTrial(FenceWall.QUOTA, bool(refused), f"refused: {', '.join(refused)}" if refused else "nothing was refused")


def names(objects: list[Obj]) -> FenceTrial:
    """No label or annotation of these may be one that a controller for DNS, certificates or tunnels goes by."""
    keys = [key for one in objects for part in ("labels", "annotations") for key in table(one, "metadata", part)]
    found = sorted({key for key in keys if any(word in key.lower() for word in PICKED_UP)})
    told = f"carried: {', '.join(found)}" if found else "nothing that DNS, certificates or tunnels go by"
    return FenceTrial(FenceWall.NAMES, bool(objects) and not found, told)


def _reached(log: str, letter: str) -> tuple[bool | None, str]:
    """Whether it was reached; None where the log does not tell, with the words that it has."""
    lines = log.splitlines()
    at = next((n for n, line in enumerate(lines) if line.startswith(f"{letter} ")), None)
    if at is None or "end" not in lines:
        return None, "its log broke off"
    words = lines[at].split(" ")
    said = []
    for line in lines[at + 1 :]:
        if not line.startswith("? "):
            break
        said.append(line[2:])
    told = "; ".join(said[-2:]) or f"it ended with {words[-1]}"
    if words[1] == "reached":
        return True, ""
    if words[2] == str(_TIMED_OUT) or any(mark in told.lower() for mark in _CUT_OFF):
        return False, told
    return (True if letter == "k" else None), told  # whatever else is said to us, an API server has said it
