"""Files for probes of restored data to look into."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path


def a_database(path: Path, *, log: bool = False) -> None:
    """A real SQLite database with a table and an index; with `log` as a backup finds it that was made while it was written to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    live = path.with_name(f"{path.name}.live") if log else path
    made = sqlite3.connect(live)
    if log:
        made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
    made.execute("CREATE INDEX by_text ON notes (text)")
    made.executemany("INSERT INTO notes (text) VALUES (?)", [(f"note {number} {'x' * 60}",) for number in range(300)])
    made.commit()
    if log:
        for ending in ("", "-wal"):
            shutil.copy(f"{live}{ending}", f"{path}{ending}")
    made.close()
    if log:
        live.unlink()
