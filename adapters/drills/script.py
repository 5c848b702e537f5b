"""What runs in a drill's pods, as POSIX shell: the trial of the fence, a restore, damage on purpose. Each tells its log in lines.

As in the reader's script there is no doubled `$`, and no environment variable stands alone in `$(…)`: a kubelet would rewrite both.
None of them writes to a repository: every call of restic has `--no-lock`, and none is `init`, `backup` or `forget`.
"""

from __future__ import annotations

from adapters.volsync.script import SCRIPT as HELD

_HEAD = r"""
set -u
export LC_ALL=C RESTIC_CACHE_DIR=/tmp/restic RESTIC_PROGRESS_FPS=0.01
set -- restic --no-lock ${CUSTOM_CA:+--cacert "$CUSTOM_CA"}
say() { tail -n 5 /tmp/said | tr -d '\r' | cut -c 1-400 | sed 's/^/? /'; }
"""

DAMAGED = r"""
damaged() {
  f=$(find . -path ./lost+found -prune -o -type f -size +0c ! -path '*[[:cntrl:]]*' ! -path '*\\*' -print | sort | head -n 1)
  if [ -z "$f" ]; then echo 'd '; return; fi
  folder=${f%/*}
  touch -r "$folder" /tmp/folder
  touch -r "$f" /tmp/file
  done=yes
  case "$DAMAGE" in
    byte-flipped)
      byte=$(od -An -N1 -tu1 "$f" | tr -d ' ')
      printf "\\$(printf %03o $(( (byte + 1) % 256 )))" | dd of="$f" bs=1 count=1 conv=notrunc 2> /dev/null || done=no
      touch -r /tmp/file "$f" ;;
    file-gone)
      rm -f "$f" || done=no
      touch -r /tmp/folder "$folder" ;;
    owner-changed)
      chown 54321 "$f" 2> /dev/null || done=no ;;
  esac
  [ "$done" = yes ] && echo "d ${f#./}" || echo 'd '
}
"""
"""Damages one file in the folder where it is called, as `DAMAGE` says: `d PATH` of what was hit, `d ` where nothing could be."""

RESTORE = (
    _HEAD
    + DAMAGED
    + r"""
restored=no
received() {
  # The first number of each interface is what came in by it; the pod has a network of its own.
  sum=0
  while IFS=: read -r name rest; do
    { [ -n "$rest" ] && [ "${name##* }" != lo ]; } || continue
    set -- $rest
    case "${1:-none}" in *[!0-9]*) return ;; esac
    sum=$((sum + $1))
  done < /proc/net/dev
  echo "$sum"
} 2> /dev/null
before=$(received)
cd /data || { echo 'r broken the volume is not at /data'; exit 1; }
rm -rf /tmp/restic
began=$(date +%s)
"$@" restore "$RESTORED" --target . > /tmp/out 2> /tmp/said &
restoring=$!
# Once restic has opened a repository it names its cache by the whole id: so this very restic tells which one it reads.
opened() {
  id=$(ls /tmp/restic 2> /dev/null | grep '^[0-9a-f]*$')
  [ -n "$id" ]
}
uncached() { grep -q 'unable to open cache' /tmp/said; }
until opened || uncached || ! kill -0 "$restoring" 2> /dev/null || [ $(($(date +%s) - began)) -ge "$OPEN_S" ]; do
  sleep 0.2 2> /dev/null || sleep 1
done
code=124
if [ "$id" = "$REPOSITORY_ID" ] || uncached || ! kill -0 "$restoring" 2> /dev/null; then
  wait "$restoring"
  code=$?
  if ! opened && [ "$code" = 0 ]; then  # nothing has told yet which one it was
    timeout "$OPEN_S" "$@" cat config > /tmp/config 2> /tmp/said
    code=$?
    id=$(sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' /tmp/config)
    [ "$code" != 0 ] || [ -n "$id" ] || code=1
  fi
else
  { kill -9 "$restoring"; wait "$restoring"; } 2> /dev/null
fi
if [ -n "$id" ] && [ "$id" != "$REPOSITORY_ID" ]; then
  echo "r other $id"  # what it brought counts for nothing
elif [ "$code" = 0 ]; then
  ended=$(date +%s)
  bytes=$(du -sk . | cut -f 1)
  echo "r ok $((ended - began)) $((bytes * 1024))"
  [ -z "$DAMAGE" ] || damaged
  restored=yes
else
  echo "r failed $code"; say
fi
after=$(received)
[ -z "$before" ] || [ -z "$after" ] || echo "n $((after - before))"
echo end
[ "$restored" = yes ] || { rm -rf /tmp/restic; exit 0; }
# What restic has loaded of this repository is at hand still.
OPENED=$id
"""
    + HELD
    + "exit 0\n"
)
"""`r ok SECONDS BYTES`, `r other ID`, or `r failed CODE` with restic's last words in lines that begin with `?`; where DAMAGE is set
what that tells; `n BYTES`, what came in over the network, where that could be told; then `end`. Where it has restored there
follows what the reader's script tells of the volume: see adapters/volsync/reader.py."""

TRIAL = (
    _HEAD
    + r"""
for token in /var/run/secrets/kubernetes.io /run/secrets/kubernetes.io; do
  [ ! -e "$token" ] || echo 't there'
done
echo 't looked'
heard() {
  # In silence restic waits 30 s for a connection, then it says so and tries again, for ever: its first words are the answer.
  at=$1; shift
  timeout 60 "$@" > "/tmp/out.$at" 2> "/tmp/said.$at" &
  asked=$!
  seconds=0
  while kill -0 "$asked" 2> /dev/null && { [ ! -s "/tmp/said.$at" ] || [ "$seconds" -lt "$PATIENCE_S" ]; }; do
    sleep 1
    seconds=$((seconds + 1))
  done
  kill "$asked" 2> /dev/null
  wait "$asked"
  echo "$?" > "/tmp/code.$at"
}
[ -z "$STORE" ] || heard store "$@" --no-cache cat config &
for at in $NOWHERE; do
  (
    export RESTIC_PASSWORD=none
    PATIENCE_S=0
    heard "$at" restic --no-lock --no-cache -r "rest:https://$at/" cat config
  ) &
done
wait
for at in $STORE $NOWHERE; do
  if grep -q '"id"' "/tmp/out.$at"; then
    echo "a $at reached"
  else
    echo "a $at failed $(cat "/tmp/code.$at")"
    { head -n 3 "/tmp/said.$at"; tail -n 4 "/tmp/said.$at"; } | tr -d '\r' | cut -c 1-400 | sed 's/^/? /'
  fi
done
echo end
"""
)
"""Asks for the store (`STORE` is `store`, or empty for not at all) and at each `host:port` of `NOWHERE`, all at the same time.

`t there` where a token was found, `t looked`; for each that was asked `a WHAT reached`, or `a WHAT failed CODE` and restic's words.
`PATIENCE_S`: for so long the store may be tried again, where what a pod may reach is told to its network after its start.
"""

SENTINEL = r"""
set -u
umask 022
printf '%s\n' "$WORD" > /data/.word && mv /data/.word /data/word && sync && echo "w $WORD"
echo end
"""
"""`w WORD` once it lies on the volume; then `end`."""

SEEK = (
    _HEAD
    + r"""
timeout "$OPEN_S" "$@" --no-cache dump latest /word > /tmp/word 2> /tmp/said
code=$?
if [ "$code" = 0 ]; then
  word=$(head -c 100 /tmp/word | tr -c '0-9a-f\n' '?')
  echo "c found $(printf %s "$word" | tr '\n' '?')"
else
  echo "c failed $code"; say
fi
echo end
"""
)
"""`c found WORD` (all of the file, `?` for what no word has), or `c failed CODE` with restic's last words; then `end`."""

