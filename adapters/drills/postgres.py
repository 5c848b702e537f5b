"""What starts a restored data directory of PostgreSQL in the pod of its probe and reads all of it, as POSIX shell behind probes.py.

`at` is the directory, `of` its version, /tmp/control what pg_controldata said. First one process recovers it by itself (`--single`)
and says who its superuser is, whatever that role is called; then the server starts, on a socket in /tmp alone, and `pg_dump` reads
every database to its end: what is counted are tables, for of a materialized view it reads no row. None of the settings that lie
with the data are taken: they may load what the image has not, wait for a primary, or reach out. What the log must have room for
comes from pg_controldata. A server of before version 12 has other settings.
"""

from __future__ import annotations

START = r"""
[ "${of%%.*}" -ge 12 ] 2> /tmp/said || answer unseen "one of version $of is not started here, and was not read"
for program in postgres psql pg_dump; do
  command -v "$program" > /tmp/which 2>&1 || answer unseen "the image has no $program"
done
for link in "./$at"/pg_tblspc/*; do
  [ ! -L "$link" ] || within "${link#./}" || answer unseen "the tablespace ${link##*/} leads out of the volume"
done
whose=$(ls -ldn "./$at/global" | tr -s ' ' | cut -d ' ' -f 3,4)
me=$(id -u)
if [ "$me" = 0 ]; then
  [ "${whose% *}" != 0 ] || answer unseen 'it belongs to root, as whom PostgreSQL does not start'
  by=setpriv
  for program in gosu su-exec; do
    if command -v "$program" > /tmp/which 2>&1; then by=$program; fi
  done
else
  [ "${whose% *}" = "$me" ] || answer unseen "it belongs to user ${whose% *}, and the pod is user $me"
  by=
fi
as() {
  case "$by" in
    '') "$@" ;;
    setpriv) setpriv --reuid "${whose% *}" --regid "${whose#* }" --clear-groups "$@" ;;
    *) "$by" "${whose% *}:${whose#* }" "$@" ;;
  esac
}
as true 2> /tmp/said || answer unseen "the pod cannot become user ${whose% *}: $(tail -n 1 /tmp/said)"
setting() { sed -n "s/^$1 setting: *\([0-9]*\)$/\1/p" /tmp/control | head -n 1; }
# What a running server, a standby or a volume's group leaves there keeps it from starting as what it is: data and a log.
rm -f "./$at/postmaster.pid" "./$at/standby.signal" "./$at/recovery.signal"
chmod 0700 "./$at" 2> /tmp/said
mkdir -p /tmp/run
chmod 0777 /tmp/run
: > /tmp/own.conf
echo 'local all all trust' > /tmp/hba.conf
server() {
  as postgres "$@" -D "$root/$at" -c config_file=/tmp/own.conf -c hba_file=/tmp/hba.conf -c ident_file=/tmp/own.conf \
    -c data_directory="$root/$at" -c listen_addresses= -c unix_socket_directories=/tmp/run -c port=5432 -c ssl=off \
    -c logging_collector=off -c log_destination=stderr -c log_line_prefix='%e ' -c log_min_messages=warning \
    -c lc_messages=C -c TimeZone=UTC -c log_timezone=UTC -c shared_preload_libraries= -c session_preload_libraries= \
    -c local_preload_libraries= -c archive_mode=off -c wal_level=replica -c restore_command= -c primary_conninfo= \
    -c primary_slot_name= -c synchronous_standby_names= -c autovacuum=off -c fsync=off -c huge_pages=off -c shared_buffers=32MB \
    -c dynamic_shared_memory_type=mmap -c max_parallel_workers_per_gather=0 -c jit=off -c default_transaction_read_only=on \
    -c max_connections="$(setting max_connections)" -c max_worker_processes="$(setting max_worker_processes)" \
    -c max_wal_senders="$(setting max_wal_senders)" -c max_prepared_transactions="$(setting max_prepared_xacts)" \
    -c max_locks_per_transaction="$(setting max_locks_per_xact)" -c statement_timeout=0 $last
}
pid=
stopped() {
  # By a signal to the server itself: the shell that has started it would keep it from ending.
  [ -z "$pid" ] || { kill "-$1" "$(head -n 1 "./$at/postmaster.pid")" && wait "$pid"; } 2> /tmp/said
}
wrong() {
  stopped QUIT
  # What was seen in the data is ill; what the pod or the image lacks, or nobody here knows, is not.
  grep -E ' (PANIC|FATAL|ERROR): ' /tmp/log > /tmp/errors
  hit=$(grep -vE '^53' /tmp/errors | grep -E "^XX00[12] |$ill" | head -n 1)
  [ -z "$hit" ] || answer bad "$1: ${hit#* }"
  hit=$(tail -n 1 /tmp/errors)
  [ -n "$hit" ] || hit="  $(tail -n 1 /tmp/log)"
  answer unseen "$1: ${hit#* }"
}
ill='checkpoint record|redo location|WAL ends before|incorrect checksum|invalid page|could not read block|missing chunk'
ill="$ill|is corrupt|could not open file \"?(base|global|pg_)|relation mapping file|cache lookup failed|unexpected zero page"
ill="$ill|contains unexpected|could not access status of transaction|in file \"?(base|global|pg_)"
last=template1
echo 'SELECT rolname FROM pg_catalog.pg_authid WHERE oid = 10' | server --single > /tmp/single 2> /tmp/log
code=$?
last=
role=$(sed -n 's/^.*1: rolname = "\(.*\)"[[:blank:]]*(typeid.*$/\1/p' /tmp/single | head -n 1)
if grep -q 'could not look up effective user' /tmp/log; then
  role=postgres # a user without a name may serve, but not work alone
elif [ "$code" != 0 ] || [ -z "$role" ]; then
  wrong "version $of does not start"
fi
server > /tmp/out 2> /tmp/log &
pid=$!
ask() {
  base=$1
  program=$2
  shift 2
  as env PGDATABASE="$base" "$program" -h /tmp/run -p 5432 -U "$role" -w "$@"
}
while ! ask template1 psql -X -Atc 'SELECT 1' > /tmp/said 2>&1; do
  kill -0 "$pid" 2> /tmp/said || wrong "version $of does not start"
  sleep 1
done
all='SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY oid'
count="SELECT count(*) FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384"
ask template1 psql -X -Atc "$all" > /tmp/databases 2> /tmp/said ||
  wrong 'its databases cannot be listed'
tables=0
while IFS= read -r name; do
  ask "$name" pg_dump --quote-all-identifiers < /dev/null > /dev/null 2> /tmp/said ||
    wrong "the database $name cannot be read to its end"
  more=$(ask "$name" psql -X -Atc "$count" < /dev/null 2> /tmp/said)
  case "${more:-none}" in *[!0-9]*) wrong "the tables of the database $name cannot be counted" ;; esac
  tables=$((tables + more))
done < /tmp/databases
stopped INT
[ "$tables" != 0 ] || answer bad "version $of, $state: it starts, and holds no table"
answer ok "version $of, $state: it starts; read to the last row, tables: $((tables)), databases: $(($(wc -l < /tmp/databases)))"
"""
