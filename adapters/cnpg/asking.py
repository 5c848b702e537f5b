"""What is asked of a database for the proof of its restore, as SQL for psql, and how its answer is read. Knows no cluster.

Works on PostgreSQL 13 and later, as a superuser, and changes nothing: the session is read-only. pg_last_wal_replay_lsn() says
nothing any more once the server was started anew, which the operator does after a restore; the history of the timeline keeps it for
good: one line for each timeline that was left, where, and why.
"""

from __future__ import annotations

import base64
import binascii
import re

from adapters.archives.bases import lsn_of
from adapters.cnpg.results import Reached, Turn
from engine.errors import TransientError

ASK = r"""
SELECT 'system ' || system_identifier FROM pg_control_system();
SELECT 'recovering ' || pg_is_in_recovery();
SELECT 'lsn ' || CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_lsn() END;
SELECT 'file ' || CASE WHEN pg_is_in_recovery() THEN 'none' ELSE pg_walfile_name(pg_current_wal_lsn()) END;
SELECT 'history ' || name || ' ' || translate(encode(pg_read_binary_file('pg_wal/' || name), 'base64'), E'\n', '')
  FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{8}\.history$' ORDER BY name;
SELECT 'end';
"""
QUIET = ("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
"""psql as it is called: no settings of a person's, plain rows, and the first error ends it."""
READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=60s -c lock_timeout=10s"
"""PGOPTIONS of every session of ours."""

_TURN = re.compile(r"\s*(\d+)\s+([0-9A-Fa-f]+/[0-9A-Fa-f]+)\s*(.*)")


def read_reached(output: str) -> Reached:
    """What ASK's answer says. TransientError for one that broke off."""
    lines = [line.split(" ", 1) for line in output.splitlines() if line.strip()]
    told = {words[0]: words[1] for words in lines if len(words) == 2 and words[0] != "history"}
    lsn = lsn_of(told.get("lsn", ""))
    if ["end"] not in lines or lsn is None or "system" not in told:
        raise TransientError("the database's answer broke off", evidence=tuple(output.splitlines()[-2:]))
    recovering = told.get("recovering") != "false"
    file = told.get("file", "")
    timeline = int(file[:8], 16) if not recovering and re.fullmatch(r"[0-9A-F]{24}", file) else 0
    histories = [words[1].split(" ", 1) for words in lines if words[0] == "history" and len(words) == 2]
    # Histories of timelines that it is not on may lie there too: they came with the archive.
    own = [text for name, text in ((h[0], h[-1]) for h in histories) if not timeline or int(name[:8], 16) == timeline]
    return Reached(told["system"], timeline, lsn, recovering, turns_of(_text(own[-1])) if own else ())


def turns_of(history: str) -> tuple[Turn, ...]:
    """The lines of a timeline's history file."""
    found = (_TURN.fullmatch(line) for line in history.splitlines())
    return tuple(Turn(int(one[1]), lsn_of(one[2]) or 0, one[3].strip()) for one in found if one is not None)


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        raise TransientError("the history of the database's timeline cannot be read") from None
