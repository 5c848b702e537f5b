"""What runs in the pod of a probe of restored data, as POSIX shell, for each preset; and what its log says.

Each tells `p ok WORDS`, `p bad WORDS` or `p unseen WORDS`, then `end`: a log that broke off is no answer. *bad* is only what was
seen to be wrong with the data; what the image or the pod could not do is *unseen*. `PATHS` are lines, each a path from the root of
the volume. As in script.py there is no doubled `$`, and no variable stands alone in `$(…)`: a kubelet would rewrite both.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.drills.postgres import START
from adapters.drills.results import Examined, Health, Phase
from engine.text.words import last_lines
from house.values.rehearsing import Preset

_HEAD = r"""
set -u
export LC_ALL=C HOME=/tmp
words() { tr -d '\r' | tr '\n' ';' | tr -cd '[:print:]' | cut -c 1-300; }
answer() { echo "p $1 $(printf %s "$2" | words)"; echo end; exit 0; }
cd /data || answer unseen 'the volume is not at /data'
root=$(pwd -P)
: > /tmp/bad
: > /tmp/unseen
: > /tmp/good
conclude() {
  [ ! -s /tmp/bad ] || answer bad "$(head -n 3 /tmp/bad)"
  [ ! -s /tmp/unseen ] || answer unseen "$(head -n 3 /tmp/unseen)"
  answer ok "$1"
}
within() {
  at_end=$(readlink -f "./$1" 2> /tmp/said)
  case "$at_end" in "$root" | "${root%/}"/*) return 0 ;; esac
  return 1
}
there() {
  if [ -e "./$1" ] && ! within "$1"; then
    # What the image has there would be taken for data.
    echo "$1 leads out of the volume, or this image cannot tell where to" >> /tmp/unseen
  elif [ -f "./$1" ]; then
    [ -s "./$1" ] && return 0
    echo "$1 is empty" >> /tmp/bad
  elif [ -L "./$1" ] && [ ! -e "./$1" ]; then
    echo "$1 is a link that leads nowhere here" >> /tmp/unseen
  elif [ -d "./$1" ]; then
    hit=$(find "./$1/." -type f -size +0c -print 2> /tmp/said | head -n 1)
    [ -n "$hit" ] && return 0
    if [ -s /tmp/said ]; then tail -n 1 /tmp/said >> /tmp/unseen; else echo "$1 holds nothing" >> /tmp/bad; fi
  elif [ -e "./$1" ]; then
    echo "$1 is neither a file nor a folder" >> /tmp/bad
  elif ls -d "./$1" 2>&1 | grep -qi 'permission denied'; then
    echo "$1 cannot be looked at: permission denied" >> /tmp/unseen
  else
    echo "$1 is missing" >> /tmp/bad
  fi
  return 1
}
"""

_DATABASE = r"""
if command -v sqlite3 > /tmp/which 2>&1; then
  tool=shell
elif python3 -c 'import sqlite3' 2> /tmp/said; then
  tool=python
else
  answer unseen 'the image has neither sqlite3 nor a python3 that has it'
fi
cat > /tmp/integrity.py << 'PYTHON'
import pathlib, sqlite3, sys
try:
    found = sqlite3.connect(pathlib.Path(sys.argv[1]).resolve().as_uri() + "?mode=rw", uri=True, timeout=30)
    rows = [str(row[0]) for row in found.execute("PRAGMA integrity_check(5)")]
    rows = [] if rows == ["ok"] else rows or ["integrity_check said nothing"]
    if not rows and not found.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        rows = ["it holds no table"]
    print("bad" if rows else "good", "; ".join(rows))
except sqlite3.OperationalError as error:
    print("unseen", error)
except sqlite3.DatabaseError as error:
    print("bad", error)
PYTHON
asked() {
  if [ "$tool" = python ]; then
    python3 -I /tmp/integrity.py "./$1" 2>&1
    return
  fi
  told=$(sqlite3 -batch -init /dev/null "./$1" 'PRAGMA integrity_check(5); SELECT count(*) FROM sqlite_master;' 2>&1)
  code=$?
  case "$told" in
    'ok
0') echo 'bad it holds no table' ;;
    'ok
'[1-9]*) [ "$code" = 0 ] && echo good || echo "unseen $told" ;;
    *malformed* | *'not a database'* | *'file is encrypted'*) echo "bad $told" ;;
    *) if [ "$code" = 0 ]; then echo "bad $told"; else echo "unseen $told"; fi ;;
  esac
}
integrity() {
  told=$(asked "$1")
  case "$told" in
    good*) echo "$1" >> /tmp/good ;;
    bad*) echo "$1: ${told#bad }" >> /tmp/bad ;;
    *) echo "$1: ${told#unseen }" >> /tmp/unseen ;;
  esac
}
"""

_FILES = (
    _HEAD
    + r"""
[ -n "$PATHS" ] || PATHS=.
printf '%s\n' "$PATHS" > /tmp/paths
count=0
while IFS= read -r path; do
  there "$path" && count=$((count + 1))
done < /tmp/paths
conclude "$count of $count are there, and hold something"
"""
)

_SQLITE = (
    _HEAD
    + _DATABASE
    + r"""
if [ -n "$PATHS" ]; then
  printf '%s\n' "$PATHS" > /tmp/paths
else
  find . -path ./lost+found -prune -o -type f -size +14c ! -path '*[[:cntrl:]]*' -print > /tmp/all 2> /tmp/said
  [ ! -s /tmp/said ] || tail -n 1 /tmp/said >> /tmp/unseen
  find . -path ./lost+found -prune -o -type f -size +14c -path '*[[:cntrl:]]*' \
    -exec sh -c '[ "$(head -c 15 "$1" | tr -d "\000")" = "SQLite format 3" ]' sh {} \; -print > /tmp/odd 2> /tmp/said
  [ ! -s /tmp/odd ] || echo "$(head -n 1 /tmp/odd) has a name with a sign that cannot be told" >> /tmp/unseen
  : > /tmp/paths
  while IFS= read -r path; do
    [ "$(head -c 15 "$path" | tr -d '\000')" = 'SQLite format 3' ] && echo "${path#./}" >> /tmp/paths
  done < /tmp/all
  [ -s /tmp/paths ] || [ -s /tmp/unseen ] || answer bad 'no SQLite database is in it'
fi
while IFS= read -r path; do
  there "$path" && integrity "$path"
done < /tmp/paths
conclude "integrity_check says ok of $(head -n 3 /tmp/good), $(($(wc -l < /tmp/good))) in all"
"""
)

_HOME_ASSISTANT = (
    _HEAD
    + _DATABASE
    + r"""
at=${PATHS:+$PATHS/}
python3 -c 'import json' 2> /tmp/said || answer unseen 'the image has no python3, which reads what Home Assistant keeps'
for name in .HA_VERSION configuration.yaml .storage/auth .storage/core.config_entries .storage/core.entity_registry; do
  there "$at$name" || continue
  case "$name" in
    .storage/*)
      python3 -I -c 'import json, sys; json.load(open(sys.argv[1]))["data"]' "./$at$name" 2> /tmp/said ||
        { if grep -q Permission /tmp/said; then echo "$at$name cannot be read" >> /tmp/unseen;
          else echo "$at$name is no JSON of Home Assistant's" >> /tmp/bad; fi; } ;;
  esac
done
recorder='no recorder database is in it: if there is one, it lies elsewhere, and was not looked at'
if [ -e "./${at}home-assistant_v2.db" ]; then
  there "${at}home-assistant_v2.db" && integrity "${at}home-assistant_v2.db"
  recorder='integrity_check says ok of its recorder'
fi
conclude "$(head -c 40 "./${at}.HA_VERSION" 2> /tmp/said): configuration, users, entries and entities are there; $recorder"
"""
)

_POSTGRES = (
    _HEAD
    + r"""
at=$PATHS
if [ -z "$at" ]; then
  find . -type f -path '*/global/pg_control' ! -path '*[[:cntrl:]]*' -print > /tmp/found 2> /tmp/said
  [ ! -s /tmp/said ] || answer unseen "$(tail -n 1 /tmp/said)"
  count=$(($(wc -l < /tmp/found)))
  [ "$count" != 0 ] || answer bad 'no data directory of PostgreSQL is in it'
  [ "$count" = 1 ] || answer unseen "there are $count data directories in it: name one with paths"
  at=$(cat /tmp/found)
  at=${at#./}
  at=${at%global/pg_control}
  at=${at%/}
fi
at=${at:-.}
there "$at/PG_VERSION" && there "$at/global/pg_control" && there "$at/pg_wal" && there "$at/base/1" || conclude ''
PATH=$PATH:/usr/lib/postgresql/bin:/usr/local/pgsql/bin
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done
command -v pg_controldata > /tmp/which 2>&1 || answer unseen 'the image has no pg_controldata'
of=$(head -n 1 "./$at/PG_VERSION")
mine=$(pg_controldata --version | sed -n 's/.*) \([0-9]*\).*/\1/p')
[ "${of%%.*}" = "$mine" ] || answer unseen "the data are of version $of, and the image has pg_controldata ${mine:-of no version}"
pg_controldata "./$at" > /tmp/control 2> /tmp/said
code=$?
if grep -qi 'warning' /tmp/said /tmp/control; then
  answer bad "pg_controldata: $(cat /tmp/said /tmp/control | grep -i warning | head -n 1)"
fi
if grep -q 'read [0-9]* of [0-9]*' /tmp/said; then answer bad "$at/global/pg_control is cut off"; fi
[ "$code" = 0 ] || answer unseen "pg_controldata ended with $code: $(tail -n 1 /tmp/said)"
value() { sed -n "s/^$1: *//p" /tmp/control | head -n 1; }
state=$(value 'Database cluster state')
log=$(value "Latest checkpoint's REDO WAL file")
if [ -e "./$at/backup_label" ]; then
  log=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\)).*/\1/p' "./$at/backup_label" | head -n 1)
fi
[ -n "$log" ] && [ -n "$state" ] || answer unseen "pg_controldata tells no state, or no log: $(tail -n 1 /tmp/control)"
[ -s "./$at/pg_wal/$log" ] || answer bad "$at/pg_wal/$log is missing, without which it does not start"
"""
    + START
)

SCRIPTS: Mapping[Preset, str] = {
    Preset.FILES: _FILES, Preset.SQLITE: _SQLITE, Preset.HOME_ASSISTANT: _HOME_ASSISTANT, Preset.POSTGRES: _POSTGRES,
}  # fmt: skip
"""By preset; a command has none: it runs as it is, and its exit code is the answer. `http` has its own (answers.py)."""

_HEALTH = {"ok": Health.SOUND, "bad": Health.ILL, "unseen": Health.UNSEEN}
_NOT_RUN = (126, 127, 128)
"""Exit codes of a program that could not be started: by a shell, and by a container runtime."""


def told(log: str) -> Examined:
    """What the log of a preset says."""
    lines = log.splitlines()
    answer = next((line.split(" ", 2) for line in lines if line.startswith("p ")), [])
    if "end" not in lines or len(answer) < 2 or answer[1] not in _HEALTH:
        return Examined(Phase.DONE, Health.UNSEEN, "its log broke off")
    return Examined(Phase.DONE, _HEALTH[answer[1]], answer[2] if len(answer) > 2 else "")


def ended_with(code: int | None, reason: str, log: str) -> Examined:
    """What a command's exit code means: 0 is sound, and any other ill, unless it could not be started or was ended from outside."""
    last = "; ".join(last_lines(log, 3))[:300]
    said = f": {last}" if last else ""
    if code is None or code > 128 or code in _NOT_RUN or reason in ("OOMKilled", "StartError", "ContainerCannotRun"):
        why = f"it was not run to its end ({reason or 'no reason given'}, exit code {'unknown' if code is None else code})"
        return Examined(Phase.DONE, Health.UNSEEN, f"{why}{said}")
    return Examined(Phase.DONE, Health.SOUND if code == 0 else Health.ILL, last if code == 0 else f"exit code {code}{said}")
