"""The reader: a POSIX shell script that prints what a volume holds, the contract of the pod it runs in, and how its log is read.

The contract. Image: any with a POSIX shell and find, stat (-c), sort, sed, tr, xargs (-0 -r), od, head, tail, sha256sum: busybox
or coreutils. Command `sh -c SCRIPT`; the volume read-only at /data, a writable /tmp. Environment:

    LIST_SKIP, LIST_TAKE   list so many entries after so many, in the order of their bytes; LIST_TAKE 0 lists none
    HASH                   all (every regular file of the list), some (those named below), none
    PATHS                  relative paths to hash, one a line
    ODD                    relative paths to hash whose names hold control characters or a backslash, as \\0ooo octal escapes
    OWNERSHIP              `unknown` where whoever runs the pod cannot show true owners (a user namespace); else not set

The log, line by line; a path is relative to the volume, and odd ones come as hexadecimal bytes:

    o known|unknown                      whether uid and gid mean something
    e|x MODE UID GID SIZE PATH|HEX       one entry; MODE is st_mode in hexadecimal
    h|k SHA256 PATH|HEX                  one file's content
    ! MESSAGE                            something could not be read: the list is not complete
    end SHOWN TOTAL                      entries shown by this run, entries of the plain kind in all; without it the log broke off

`lost+found` at the top is left out (restic's mover leaves it out too), and so is the volume's own directory. Knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.volsync.results import FileEntry

IMAGE = "docker.io/library/busybox:1.37"
LIST_TAKE = 20_000  # with hashes about 200 bytes each: below the 10 MiB at which a kubelet turns a log over
PATH_BYTES = 60_000  # an environment variable may hold 128 KiB

# Control characters and backslashes would break lines, or be escaped by one sha256sum and not by another.
SCRIPT = r"""
set -u
export LC_ALL=C
cd /data || { echo '! the volume is not at /data'; exit 1; }
t=/tmp/reader.$$
mkdir "$t" || { echo '! no writable /tmp'; exit 1; }
trap 'rm -rf "$t"' EXIT
echo "o ${OWNERSHIP:-known}"
total=0
: > "$t/shown"
: > "$t/errors"
if [ "$LIST_TAKE" -gt 0 ]; then
  find . -path './lost+found' -prune -o ! -path . ! -path '*[[:cntrl:]]*' ! -path '*\\*' \
    -exec stat -c '%f %u %g %s %n' {} + > "$t/all" 2>> "$t/errors" || echo 'find failed' >> "$t/errors"
  total=$(wc -l < "$t/all" | tr -d ' ')
  sort -k 5 "$t/all" > "$t/sorted" || echo 'sort failed' >> "$t/errors"
  tail -n "+$((LIST_SKIP + 1))" "$t/sorted" | head -n "$LIST_TAKE" > "$t/shown"
  sed 's|^\([0-9a-f]* [0-9]* [0-9]* [0-9]* \)\./|e \1|' "$t/shown"
  if [ "$LIST_SKIP" -eq 0 ]; then
    HASH_ODD=$([ "$HASH" = all ] && echo yes || echo no) \
    find . -path './lost+found' -prune -o ! -path . \( -path '*[[:cntrl:]]*' -o -path '*\\*' \) -exec sh -c '
      for f do
        meta=$(stat -c "%f %u %g %s" "$f") || { echo "! an entry with an odd name could not be read"; continue; }
        hex=$(printf %s "${f#./}" | od -An -v -tx1 | tr -d " \n")
        echo "x $meta $hex"
        case "$HASH_ODD$meta" in
          yes8*)
            sum=$(sha256sum < "$f") && echo "k ${sum%% *} $hex" || echo "! a file with an odd name could not be read" ;;
        esac
      done' sh {} + 2>> "$t/errors" || echo 'find failed' >> "$t/errors"
  fi
fi
case "$HASH" in
  all) sed -n 's/^8[0-9a-f]* [0-9]* [0-9]* [0-9]* //p' "$t/shown" ;;
  some) printf '%s\n' "$PATHS" | while IFS= read -r f; do
          if [ -n "$f" ] && [ -f "./$f" ] && [ ! -L "./$f" ]; then printf '%s\n' "./$f"; fi
        done ;;
esac > "$t/files"
tr '\n' '\000' < "$t/files" | xargs -0 -r sha256sum > "$t/sums" 2>> "$t/errors" || echo 'sha256sum failed' >> "$t/errors"
sed 's|^\([0-9a-f]*\)  \./|h \1 |' "$t/sums"
if [ "$HASH" = some ]; then
  for odd in $ODD; do
    f=$(printf '%b.' "$odd")
    f=./${f%.}
    if [ -f "$f" ] && [ ! -L "$f" ]; then
      hex=$(printf %s "${f#./}" | od -An -v -tx1 | tr -d ' \n')
      sum=$(sha256sum < "$f") && echo "k ${sum%% *} $hex" || echo '! a file with an odd name could not be read'
    fi
  done
fi
head -n 20 "$t/errors" | tr -d '\r' | sed 's/^/! /'
echo "end $(wc -l < "$t/shown" | tr -d ' ') $total"
[ ! -s "$t/errors" ]
"""

# restic's words for what a directory entry is, by the upper bits of st_mode.
_KINDS = {
    0x8000: "file",
    0x4000: "dir",
    0xA000: "symlink",
    0x6000: "dev",
    0x2000: "chardev",
    0x1000: "fifo",
    0xC000: "socket",
}


@dataclass(frozen=True)
class Request:
    """What one run of the reader is asked: a stretch of the list, and which hashes (None for those of all it lists)."""

    skip: int
    take: int
    hashes: tuple[str, ...] | None

    def environment(self) -> dict[str, str]:
        """As the script's environment."""
        wanted = self.hashes or ()
        plain = [path for path in wanted if not _odd(path)]
        odd = [path for path in wanted if _odd(path)]
        return {
            "LIST_SKIP": str(self.skip),
            "LIST_TAKE": str(self.take),
            "HASH": "all" if self.hashes is None else "some" if wanted else "none",
            "PATHS": "\n".join(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for path in plain),
            "ODD": " ".join(
                "".join(f"\\0{byte:03o}" for byte in path.encode("utf-8", "surrogateescape")) for path in odd
            ),
        }


@dataclass(frozen=True)
class Reading:
    """What one run's log holds. `ended` False: it broke off. `problems` not empty: something could not be read."""

    entries: tuple[FileEntry, ...]
    sums: dict[str, str]
    ownership_known: bool
    problems: tuple[str, ...]
    shown: int
    total: int
    ended: bool


def first_requests(hashes: tuple[str, ...] | None, take: int = LIST_TAKE) -> tuple[Request, ...]:
    """The list's first stretch with the first hashes, and one more run for each further lot of paths to hash."""
    if hashes is None:
        return (Request(0, take, None),)
    lots = _lots(hashes)
    return (Request(0, take, lots[0]), *(Request(0, 0, lot) for lot in lots[1:]))


def _lots(paths: tuple[str, ...]) -> list[tuple[str, ...]]:
    lots: list[list[str]] = [[]]
    size = 0
    for path in paths:
        # An octal escape takes five characters for each byte.
        cost = len(path.encode("utf-8", "surrogateescape")) * (5 if _odd(path) else 1) + 1
        if size + cost > PATH_BYTES and lots[-1]:
            lots.append([])
            size = 0
        lots[-1].append(path)
        size += cost
    return [tuple(lot) for lot in lots]


def _odd(path: str) -> bool:
    # Bytes that are no UTF-8 cannot stand in an environment variable of a pod, so they go as escapes too.
    return any(char == "\\" or ord(char) < 0x20 or char == "\x7f" or 0xDC80 <= ord(char) <= 0xDCFF for char in path)


def read_log(log: bytes) -> Reading:
    """The reading of one run's log. Raises ValueError for a line that is none of the contract's."""
    entries: list[FileEntry] = []
    sums: dict[str, str] = {}
    problems: list[str] = []
    ownership, shown, total, ended = True, 0, 0, False
    # What follows the last newline is a line that was cut off; then there is no `end` either.
    for raw in log.split(b"\n")[:-1]:
        line = raw.decode("utf-8", "surrogateescape")
        mark, _, rest = line.partition(" ")
        if mark in ("e", "x"):
            entries.append(_entry(rest, hexadecimal=mark == "x"))
        elif mark in ("h", "k"):
            sums.update([_sum(rest, hexadecimal=mark == "k")])
        elif mark == "!":
            problems.append(rest)
        elif mark == "o":
            ownership = rest == "known"
        elif mark == "end":
            shown, total, ended = *(int(number) for number in rest.split()), True
        elif line:
            raise ValueError(f"a line that the reader does not print: {line[:80]!r}")
    return Reading(tuple(entries), sums, ownership, tuple(problems), shown, total, ended)


def _entry(rest: str, *, hexadecimal: bool) -> FileEntry:
    mode, uid, gid, size, path = rest.split(" ", 4)
    bits = int(mode, 16)
    kind = _KINDS[bits & 0xF000]
    return FileEntry(
        path=_path(path, hexadecimal=hexadecimal),
        kind=kind,
        size=int(size) if kind == "file" else 0,
        mode=bits & 0o7777,
        uid=int(uid),
        gid=int(gid),
    )


def _sum(rest: str, *, hexadecimal: bool) -> tuple[str, str]:
    sha256, path = rest.split(" ", 1)
    if len(sha256) != 64:
        raise ValueError(f"no SHA-256: {sha256[:80]!r}")
    return _path(path, hexadecimal=hexadecimal), sha256


def _path(path: str, *, hexadecimal: bool) -> str:
    return bytes.fromhex(path).decode("utf-8", "surrogateescape") if hexadecimal else path
