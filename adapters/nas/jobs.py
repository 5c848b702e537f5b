"""What the NAS says of a locked dataset's key: a job of it, which is waited for within bounds of its own. Starts nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from adapters.nas.fields import mapping, name, rows, text
from adapters.nas.session import Asking, Call
from adapters.nas.wording import RpcError

_AGAIN_S = 0.25
_ENDED = ("SUCCESS", "FAILED", "ABORTED")


async def unlocking(session: Asking, dataset: str, limit_s: float) -> str:
    """Of a locked dataset: what it waits for, in words; or why that could not be told."""
    (answer,) = await session.ask([Call("pool.dataset.encryption_summary", (dataset,))])
    if isinstance(answer, RpcError):
        return answer.unheard("pool.dataset.encryption_summary").why
    if isinstance(answer, bool) or not isinstance(answer, int):
        return _summed(answer)  # this connection was told to wait for jobs
    return await _awaited(session, answer, limit_s)


async def _awaited(session: Asking, number: int, limit_s: float) -> str:
    """The job by its number, until it ended. One that is not in the list is not running: its service may have been restarted."""
    until = time.monotonic() + min(limit_s, session.left_s)
    state = ""
    while time.monotonic() < until:
        (answer,) = await session.ask([Call("core.get_jobs", ([["id", "=", number]],))])
        job = next(iter(rows(answer)), None) if not isinstance(answer, RpcError) else None
        if job is None:
            return f"job {number} is not known to it any more"
        state = name(job.get("state"))
        if state in _ENDED:
            return _summed(job.get("result")) if state == "SUCCESS" else f"job {number} {state}: {text(job.get('error'))}"
        await asyncio.sleep(_AGAIN_S)
    return f"job {number} (encryption_summary) has not ended within {limit_s:.0f} s, it is {state or 'in no known state'}"


def _summed(result: Any) -> str:
    """`tank/secret waits for its passphrase`, root by root."""
    told = [
        f"{text(row.get('name'))} waits for its {'key' if row.get('key_format') == 'HEX' else 'passphrase'}"
        for row in rows(result) if row.get("locked") is True
    ]  # fmt: skip
    return "; ".join(told[:3]) or text(mapping(result).get("error"))
