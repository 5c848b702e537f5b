"""The script that runs in the reader's pod: it prints what a volume holds, and what restic says of it. See reader.py.

A kubelet turns `$(NAME)` and `$` doubled in a command into something else: there is no `$` doubled in it, and nothing that is
called as an environment variable stands alone in `$(…)`.
"""

from __future__ import annotations

# Control characters and backslashes would break lines, or be escaped by one sha256sum and not by another.
SCRIPT = r"""
set -u
export LC_ALL=C
cd /data || { echo '! the volume is not at /data'; exit 1; }
t=/tmp/reader
rm -rf "$t"
mkdir "$t" || { echo '! no writable /tmp'; exit 1; }
trap 'rm -rf "$t"' EXIT
echo "o ${OWNERSHIP:-known}"
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
: > "$t/all"
: > "$t/shown"
: > "$t/errors"
# All that anything here complains of, a shell's word of what was killed among it, is told at the end.
exec 2>> "$t/errors"
export t
entries() {
  what='%f %u %g %s %h %d %i %t %T %Y %y'
  find . -path './lost+found' -prune -o ! -path . ! -path '*[[:cntrl:]]*' ! -path '*\\*' \
    -exec stat -c "e $what %n" {} + > "$t/all" || echo 'find failed' >&2
}
more() {
  sed -n 's|^e a[0-9a-f]* [^/]* \./||p' "$t/all" > "$t/links"
  while IFS= read -r f; do
    to=$(readlink -n "./$f" && echo x) || echo "a symlink could not be read" >&2
    to=${to%x}
    case "$to" in
      *[[:cntrl:]]*|*\\*) echo "S $(hex "$f") $(hex "$to")" ;;
      *) printf 's %s//%s\n' "$f" "$to" ;;
    esac
  done < "$t/links" >> "$t/all"
  export what
  find . -path './lost+found' -prune -o ! -path . \( -path '*[[:cntrl:]]*' -o -path '*\\*' \) -exec sh -c '
    hex() { printf %s "$1" | od -An -v -tx1 | tr -d " \n"; }
    for f do
      meta=$(stat -c "$what" "$f") || { echo "an entry with an odd name could not be read" >&2; continue; }
      name=$(hex "${f#./}")
      echo "x $meta ./$name" >> "$t/all"
      case "$meta" in a*)
        to=$(readlink -n "$f"; echo x)
        echo "S $name $(hex "${to%x}")" >> "$t/all" ;;
      esac
    done' sh {} + || echo 'find failed' >&2
  if command -v python3 > /dev/null; then
    echo 'a known' > "$t/attributes"
    python3 -I -c '
import os, sys
folders = [b"."]
while folders:
    for one in os.scandir(folders.pop()):
        if one.path == b"./lost+found":
            continue
        for name in os.listxattr(one.path, follow_symlinks=False):
            if name.startswith("user."):
                value = os.getxattr(one.path, name, follow_symlinks=False)
                print("u", one.path[2:].hex(), os.fsencode(name).hex(), value.hex() or "-")
        if one.is_dir(follow_symlinks=False):
            folders.append(one.path)
' >> "$t/all" 2> "$t/listing" || tail -n 1 "$t/listing" >&2
  else
    echo 'a unknown' > "$t/attributes"
  fi
  sort "$t/all" > "$t/sorted" || echo 'sort failed' >&2
}
listing=''
heard() {
  [ -z "$listing" ] || wait "$listing" || echo 'the list broke off' >&2
  listing=''
}
# Patterns for about a half of the bytes: names with one end in one folder, or what is below a folder. Whatever they are, one run
# that includes them and one that excludes them see every file once; but a file with several names, for one run, is one.
halved() {
  awk '
    function pick(folder,  groups, count, n, inner, some, k) {
      count = split(within[folder], groups, "\n")
      for (n = 1; n < count && told < 64; n++) {
        if (bytes[groups[n]] > want) {
          some = split(folders[groups[n]], inner, "\n")
          for (k = 1; k < some; k++) pick(inner[k])
        } else if (bytes[groups[n]] > all / 2000) {
          print groups[n]; told++
          want -= bytes[groups[n]]
        }
      }
    }
    /^e 8/ {
      if ($6 > 1) linked = 1
      all += $5
      folder = ""
      depth = split(substr($0, index($0, " ./") + 3), parts, "/")
      for (i = 1; i <= depth; i++) {
        name = parts[i]
        dot = match(name, /\.[A-Za-z0-9]+$/)
        tail = substr(name, dot > 1 ? dot - 1 : length(name))
        if (tail ~ /[^A-Za-z0-9._-]/) next
        group = folder "/*" tail
        if (!(group in bytes)) within[folder] = within[folder] group "\n"
        bytes[group] += $5
        folder = folder "/" name
        if (i == depth || name ~ /[][*?\\$]/) next
        if (!(folder in seen)) folders[group] = folders[group] folder "\n"
        seen[folder]
      }
    }
    END { want = all / 2; if (!linked && all > 67108864) pick("") }' "$t/all"
}
held() {
  name=$1 parts=$2
  shift 2
  "$@" restore "$SNAPSHOT" --target . --dry-run --overwrite always --delete --json -vv $parts > "$t/out.$name" 2> "$t/said.$name" \
    && grep -q '"message_type":"summary"' "$t/out.$name"
}
compared() {
  # An image may lack what this takes: then there are no halves, and nothing of that is about the volume.
  if [ "${AT_ONCE:-1}" -gt 1 ] && [ -n "$listing" ] && [ "$(nproc 2> /dev/null || echo 1)" -gt 1 ]; then
    [ -n "${OPENED:-}" ] || heard
    halved > "$t/half" 2> /dev/null || : > "$t/half"
  fi
  [ -s "$t/half" ] || { held whole '' "$@"; return; }
  # Where each has one processor, what a Go program does beside its work takes the other's.
  [ "$(nproc)" -gt 3 ] || export GOMAXPROCS=1
  held half "--include-file $t/half" "$@" &
  first=$!
  held rest "--exclude-file $t/half" "$@"
  second=$?
  wait "$first" && [ "$second" = 0 ]
}
if [ "$LIST_TAKE" -gt 0 ]; then
  # Beside restic, which takes one file after the other; where that begins at once its halves are made of the entries alone.
  if [ -n "${OPENED:-}" ]; then
    entries
    more &
  else
    { entries; more; } &
  fi
  listing=$!
fi
if [ -n "${SNAPSHOT:-}${IDENTIFY:-}" ]; then
  export RESTIC_CACHE_DIR=/tmp/restic RESTIC_PROGRESS_FPS=0.01
  HASH=all
  set -- restic --no-lock ${CUSTOM_CA:+--cacert "$CUSTOM_CA"}
  id=${OPENED:-}
  [ -n "$id" ] || id=$(timeout "$OPEN_S" "$@" cat config 2> "$t/said" | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p')
  if [ -z "$id" ]; then
    echo 'r unable'
  elif [ -z "${SNAPSHOT:-}" ]; then
    HASH=none
    echo "r id $id"
  elif [ "$id" != "$REPOSITORY_ID" ]; then
    echo "r other $id"
  elif compared "$@"; then
    HASH=none
    # Of what it would delete restic tells the place on this machine, of all else the path in the snapshot.
    cat "$t"/out.* | grep '"action":"\(updated\|deleted\)"' | sed "s|\"deleted\",\"item\":\"$PWD/|\"deleted\",\"item\":\"/|" \
      | grep -v '"action":"deleted","item":"/lost+found"' > "$t/differ"
    echo "r ok $(cat "$t"/out.* | grep -c '"action":"unchanged"') $(grep -c '' "$t/differ")"
    head -n 1000 "$t/differ" | sed 's/^/d /'
  else
    echo 'r unable'
    cat "$t"/said.* > "$t/said"
  fi
  rm -rf /tmp/restic "$t"/out.*
  [ "$HASH" = none ] || tail -n 5 "$t/said" | tr -d '\r' | cut -c 1-400 | sed 's/^/? /'
fi
if [ "$LIST_TAKE" -gt 0 ]; then
  heard
  cat "$t/attributes"
  total=$(wc -l < "$t/all" | tr -d ' ')
  tail -n "+$((LIST_SKIP + 1))" "$t/sorted" | head -n "$LIST_TAKE" | head -c "$LIST_BYTES" > "$t/cut"
  whole=$(wc -l < "$t/cut" | tr -d ' ')
  head -n "$whole" "$t/cut" > "$t/shown"
  cat "$t/shown"
  if [ "$HASH" = all ]; then
    sed -n 's|^e 8[0-9a-f]* [^/]* \./|./|p' "$t/shown" | tr '\n' '\000' \
      | xargs -0 -r sha256sum > "$t/sums" || echo 'sha256sum failed' >&2
    sed 's|^\([0-9a-f]*\)  \./|h \1 |' "$t/sums"
    [ "$LIST_SKIP" -gt 0 ] \
      || find . -path './lost+found' -prune -o -type f \( -path '*[[:cntrl:]]*' -o -path '*\\*' \) -exec sh -c '
      for f do
        name=$(printf %s "${f#./}" | od -An -v -tx1 | tr -d " \n")
        sum=$(sha256sum < "$f") && echo "k ${sum%% *} $name" || echo "a file with an odd name could not be read" >&2
      done' sh {} + || echo 'find failed' >&2
  fi
else
  total=0
fi
head -n 20 "$t/errors" | tr -d '\r' | sed 's/^/! /'
echo "end $(wc -l < "$t/shown" | tr -d ' ') $total"
[ ! -s "$t/errors" ]
"""
