"""The small languages inside blackstart.yaml: sizes, durations, references to secrets, fingerprints, addresses.

Each is a pydantic type that tells what is wrong and what would be right. Knows no section. What may hold a secret is never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from house.files import grammar
from house.files.grammar import Grammar, quoted
from house.files.typed import kind_of
from house.model import SecretRef
from house.settings import unitless

FILL_IN = "FILL_IN"
"""What `config.init` writes where only a person knows the value."""

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(B|[KMGT]i?B)")
_UNITS = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,18}")
_SHARE = re.compile(r"([0-9]{1,3}(?:[.][0-9]{1,6})?)%|0")
_DURATION = re.compile(r"(?:([0-9]{1,12})d)?(?:([0-9]{1,12})h)?(?:([0-9]{1,12})m)?(?:([0-9]{1,12})s)?")
LARGEST = 2**50
"""The largest size, in bytes, that is taken for meant: 1024 TiB."""
_YOUNGEST_S = 60.0
LONGEST_S = 10 * 366 * 24 * 3600
"""The longest duration, in seconds, that is taken for meant: clocks and waits overflow far beyond it."""
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}")
_VARIABLE = re.compile(r"\$(?:\{|\(|[A-Za-z_])|%[A-Za-z_]+%")
_STORE_CREDENTIALS = re.compile(r"https?://[^/@\s]*@|(?://|sftp:)[^/@:\s]*:[^/@\s]*@")
_OPTION = re.compile(r"\s*-|sftp:(?://)?(?:[^/@]*@)?-|sftp:(?://)?-", re.IGNORECASE)
_REFERENCES = (
    re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*"),
    re.compile(r"file:[^#\s][^#]*"),
    re.compile(r"sops:[^#\s][^#]*#[A-Za-z0-9_][A-Za-z0-9_.\-\[\]]*"),
    re.compile(r"op://[^/\s][^/]*/[^/]+/[^/].*"),
)
REFERENCE_FORMS = "env:NAME, file:PATH, sops:PATH#key or op://vault/item/field"
SOPS_FORM = "sops:PATH#key, and for a key in a key a dot, as in sops:PATH#stringData.RESTIC_PASSWORD"


def wrong(what: str, better: str) -> PydanticCustomError:
    """A validation error that carries both halves of a problem's text."""
    return PydanticCustomError("told", "{what}; {better}", {"what": what, "better": better})


def size_of(value: Any) -> int:
    """Bytes of `20GiB` or `1MiB` (GB and the like are decimal); `0` needs no unit."""
    return _size(value, unitless.size, "20GiB or 512MiB")


def _size(value: Any, likely: Callable[[int], str], examples: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value == 0:
            return 0
        raise wrong("a size without a unit", f"write the unit, as in {likely(value)}")
    if not isinstance(value, str):
        raise wrong(f"is {kind_of(value)}, not a size", f"write a size, as in {examples}")
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        number = value.strip()
        better = likely(int(number)) if _NUMBER.fullmatch(number) else examples
        raise wrong(f"{quoted(value)} is not a size", f"write a size, as in {better}")
    size = float(found[1]) * _UNITS[found[2]]
    if size > LARGEST:
        raise wrong(f"{quoted(value)} is more than 1024TiB", f"write a size, as in {examples}")
    return int(size)


def disk_size_of(value: Any) -> int:
    """Like `size_of`, in whole GiB: Proxmox makes disks in no smaller unit."""
    size = _size(value, unitless.disk, "20GiB")
    if size == 0 or size % 2**30:
        raise wrong(f"{quoted(str(value))} is not a whole number of GiB", "write whole GiB, as in 20GiB")
    return size


def memory_size_of(value: Any) -> int:
    """Like `size_of`, in whole MiB (Proxmox's unit) and at least 1 GiB, below which Talos does not start."""
    size = _size(value, unitless.memory, "8GiB")
    if size % 2**20:
        raise wrong(f"{quoted(str(value))} is not a whole number of MiB", "write it as in 8GiB")
    if size < 2**30:
        raise wrong("less than a Talos node starts with", "give it at least 2GiB")
    return size


def fate_of(value: Any) -> str:
    """`keep` or `create`. `wipe`, which people expect here, is refused with what to do: nothing that exists is ever erased."""
    if value == "wipe":
        raise wrong("no disk that exists is wiped by a run", "write keep or create, and wipe it by hand before the run")
    if value not in ("keep", "create"):
        raise wrong("is none of the words that are known here", "write keep or create")
    return str(value)


def age_of(value: Any) -> float:
    """Seconds of `36h` or `2d`, how old a backup may be; `any` is 0.0."""
    if value == "any":
        return 0.0
    seconds = _duration(value, unitless.age, "36h or 2d")
    if seconds < _YOUNGEST_S:
        raise wrong("no backup is that young", "write an age, as in 36h, or any")
    return seconds


def wait_of(value: Any) -> float:
    """Seconds of `10m` or `1h30m`, how long to wait, but not nothing."""
    seconds = _duration(value, unitless.wait, "10m or 2h")
    if seconds == 0.0:
        raise wrong("no time at all", "write how long to wait, as in 10m")
    return seconds


def _duration(value: Any, likely: Callable[[float], str], examples: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise wrong("a duration without a unit", f"write the unit, as in {likely(value)}")
    if not isinstance(value, str):
        raise wrong(f"is {kind_of(value)}, not a duration", f"write a duration, as in {examples}")
    text = value.strip()
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        better = likely(int(text)) if _NUMBER.fullmatch(text) else examples
        raise wrong(f"{quoted(value)} is not a duration", f"write a duration, as in {better}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if whole > LONGEST_S:
        raise wrong(f"{quoted(value)} is longer than ten years", f"write a duration, as in {examples}")
    return float(whole)


def moment_of(value: Any) -> float:
    """Seconds since the epoch of a time in RFC 3339; one without a zone is taken as UTC."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise wrong(f"{quoted(str(value))} is no time", "write one as in 2026-10-01T00:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def share_of(value: Any) -> float:
    """`1%` or `0.5%` as a part of one; 0 is nothing, with or without the sign."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
        raise wrong("a share without %", f"write {unitless.share(value)}, if that is meant")
    found = _SHARE.fullmatch(str(value).strip())
    if found is None:
        raise wrong(f"{quoted(value) if isinstance(value, str) else kind_of(value)} is no share", "write a share, as in 1%")
    share = float(found.group(1) or 0) / 100
    if share > 1:
        raise wrong(f"{quoted(value)} is more than all", "write a share, as in 1%")
    return share


def path_of(value: str) -> str:
    """A path that can be looked for: `~name` of somebody who has no home here, a variable or a null byte cannot."""
    if "\0" in value:
        raise wrong("holds a null byte", "write a path, seen from this file")
    if _VARIABLE.search(value):
        raise wrong("holds a variable, and nothing fills it in", "write ~/… or a path seen from this file")
    try:
        Path(value).expanduser()
    except RuntimeError:
        raise wrong("begins with the home of somebody who is not known here", "write ~/… or a path seen from this file") from None
    return value


def repository_path_of(value: str) -> str:
    """A folder of the home-ops repository, from its root, as `kubernetes/flux` however it is written; "." for the root itself."""
    path = PurePosixPath(path_of(value).lstrip("/"))
    if ".." in path.parts or not value.strip():
        raise wrong("is no folder inside the repository", "write it from the repository's root, as in kubernetes/flux/cluster")
    return str(path)


def reference_of(value: Any) -> SecretRef:
    """A reference to a secret, or a list of them tried in order. What does not fit is never quoted: it may be the secret."""
    sources = value if isinstance(value, list) else [value]
    if not sources:
        raise wrong("an empty list of references", f"write {REFERENCE_FORMS}")
    for source in sources:
        if not isinstance(source, str) or not any(form.fullmatch(source) for form in _REFERENCES):
            better = SOPS_FORM if isinstance(source, str) and source.startswith("sops:") else REFERENCE_FORMS
            raise wrong("not a reference to a secret (its text is not shown)", f"write {better}")
        scheme, _, rest = source.partition(":")
        if scheme in ("file", "sops"):
            path_of(rest)
    return SecretRef(tuple(sources))


def _text(value: Any, better: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong(f"is {'empty' if value == '' else kind_of(value)}", better)
    return value


def url_of(value: Any) -> str:
    """An https URL with a host and without a user (whose password would lie in Git)."""
    text = _text(value, "write a URL, as in https://10.0.0.11:8006")
    parts = grammar.url_parts(text)
    if parts is None and text.startswith("https:"):
        raise wrong("is not a URL", "write https://host:port")
    if parts is not None and (parts.username is not None or parts.password is not None):
        raise wrong("holds a user or a password", "leave them out of the URL")
    if parts is None or parts.scheme != "https" or not parts.hostname:
        raise wrong(f"{quoted(text)} is not an https URL", "write https://host:port")
    return text.rstrip("/")


def server_url_of(value: Any) -> str:
    """Like `url_of`, of a server and nothing on it: its API's path is added by who asks it."""
    url = url_of(value)
    parts = grammar.url_parts(url)
    if parts is None or parts.path or parts.query or parts.fragment or url.endswith(("?", "#")):
        raise wrong(f"{quoted(url)} names more than a host and a port", "write https://host:port")
    return url


def image_url_of(value: Any) -> str:
    """Like `url_of`, of a file that Proxmox can import: it unpacks nothing for content type import."""
    url = url_of(value)
    if not url.endswith((".qcow2", ".raw")):
        raise wrong("names a form that Proxmox cannot import", "name a .qcow2 or .raw file")
    return url


def git_url_of(value: Any) -> str:
    """The URL that Flux pulls: https, http or ssh, without a password."""
    text = _text(value, "write the URL that Flux pulls")
    better = "write https://host/repository.git or ssh://git@host/repository.git"
    parts = grammar.url_parts(text)
    if parts is None:
        raise wrong("is not a URL that Flux can pull", better)
    if parts.password or (parts.username and parts.scheme != "ssh"):  # an access token is often written as the user
        raise wrong("holds a user or a password", "leave it out of the URL; use a deploy key")
    # ssh reads a user or a host that begins with a dash as an option.
    if parts.scheme not in ("https", "http", "ssh") or not parts.hostname or parts.netloc.startswith("-"):
        raise wrong("is not a URL that Flux can pull", better)
    return text


def branch_of(value: str) -> str:
    """A branch's name as git takes it."""
    found = grammar.branch_wrong(value)
    if found is not None:
        raise wrong(*found)
    return value


def store_of(value: str) -> str:
    """Where a restic repository is, without credentials: they would lie in Git, in argv and in every log."""
    if _STORE_CREDENTIALS.search(value):
        raise wrong("holds a user's password or key (its text is not shown)", "leave it out, and give references under environment")
    if ".." in re.split(r"[/:]", value):
        raise wrong("has a part `..`", "write the path without it")
    if _OPTION.match(value) or not value.isprintable():
        raise wrong("is no place of a repository", "write s3:…, sftp:… or an absolute path")
    return value


def fingerprint_of(value: Any) -> str:
    """A SHA-256 fingerprint as Proxmox shows it, in capitals."""
    text = _text(value, "write the certificate's SHA-256 fingerprint")
    if _FINGERPRINT.fullmatch(text) is None:
        raise wrong("is not a SHA-256 fingerprint", "write 32 pairs of hex digits with colons, as Proxmox shows under Certificates")
    return text.upper()


def mac_of(value: Any) -> str:
    """A MAC address in lower case."""
    try:
        return grammar.mac_of(_text(value, "write a MAC address, as in bc:24:11:00:00:01"))
    except ValueError as error:
        raise wrong(*str(error).split("; ", 1)) from None


def recipient_of(value: Any) -> str:
    """A public key that age encrypts for."""
    text = str(value).strip() if isinstance(value, str) else ""
    if text.startswith("AGE-SECRET-KEY-") or "PRIVATE KEY" in text:
        raise wrong("is a private key, which nobody may read", "write the public one: age-keygen -y FILE prints it")
    if not re.fullmatch(RECIPIENT, text):
        raise wrong("is no public key of age or SSH", "write what age-keygen -y FILE prints, as in age1…, or ssh-ed25519 AAAA…")
    return text


def reason_of(value: Any) -> str:
    """Why something has no backup, in a person's words."""
    return _text(value, "write why it needs no backup").strip()


def sha256_of(value: Any) -> str:
    """A SHA-256 checksum in lower case."""
    text = _text(value, "write the SHA-256 checksum").lower()
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        raise wrong("is not a SHA-256 checksum", "write 64 hex digits")
    return text


def _is(kind: Grammar) -> AfterValidator:
    def check(value: str) -> str:
        found = kind.wrong(value)
        if found is not None:
            raise wrong(*found)
        return value

    return AfterValidator(check)


def json_form(form: str, **more: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": form, **more})


_REFERENCE_SCHEMA = {
    "type": "string", "pattern": r"^((env|file):.+|sops:[^#]+#[^#/]+|op://.+)$",
    "description": f"{REFERENCE_FORMS}; {SOPS_FORM}",
}  # fmt: skip

DiskSize = Annotated[int, BeforeValidator(disk_size_of), json_form(r"^([0-9.]+ *[KMGT]i?B)$")]
MemorySize = Annotated[int, BeforeValidator(memory_size_of), json_form(r"^([0-9.]+ *[KMGT]i?B)$")]
LeastBytes = Annotated[
    int,
    BeforeValidator(size_of),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "string", "pattern": "^[0-9.]+ *([KMGT]i?)?B$"}]}),
]
Age = Annotated[float, BeforeValidator(age_of), json_form(r"^(any|([0-9]+[dhms])+)$")]
Share = Annotated[
    float,
    BeforeValidator(share_of),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?%$"}]}),
]
Wait = Annotated[float, BeforeValidator(wait_of), json_form(r"^([0-9]+[dhms])+$")]
Moment = Annotated[float, BeforeValidator(moment_of), WithJsonSchema({"type": "string", "format": "date-time"})]
Reference = Annotated[
    SecretRef,
    BeforeValidator(reference_of),
    WithJsonSchema({"anyOf": [_REFERENCE_SCHEMA, {"type": "array", "items": _REFERENCE_SCHEMA, "minItems": 1}]}),
]
Store = Annotated[str, AfterValidator(store_of)]
PathText = Annotated[str, AfterValidator(path_of)]
RepositoryPath = Annotated[str, AfterValidator(repository_path_of)]
ServerUrl = Annotated[str, BeforeValidator(server_url_of), json_form(r"^(https://[^/?#]+/?)$")]
HttpsUrl = Annotated[str, BeforeValidator(url_of), json_form(r"^(https://.+)$")]
ImageUrl = Annotated[str, BeforeValidator(image_url_of), json_form(r"^https://.+\.(qcow2|raw)$")]
GitUrl = Annotated[str, BeforeValidator(git_url_of), json_form(r"^((https?|ssh)://.+)$")]
Fingerprint = Annotated[str, BeforeValidator(fingerprint_of), json_form(r"^(([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$")]
Mac = Annotated[str, BeforeValidator(mac_of), json_form(r"^(([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})$")]
Fate = Annotated[str, BeforeValidator(fate_of), WithJsonSchema({"type": "string", "enum": ["keep", "create"]})]
AGE = r"^age1(?:[0-9a-z]{58}|pq1[0-9a-z]{1952})$"
"""A public key of age: X25519, or post-quantum (ML-KEM-768 with X25519, as `age-keygen -pq` makes it)."""
RECIPIENT = AGE[1:-1] + r"|ssh-ed25519 [A-Za-z0-9+/]{68}( .*)?|ssh-rsa [A-Za-z0-9+/=]{300,}( .*)?"
KitRecipient = Annotated[str, BeforeValidator(recipient_of), json_form(f"^({RECIPIENT})$")]
Sha256 = Annotated[str, BeforeValidator(sha256_of), json_form(r"^([0-9A-Fa-f]{64})$")]
Name = Annotated[str, _is(grammar.HOUSE_NAME)]
HouseId = Annotated[str, _is(grammar.HOUSE_ID)]
HostName = Annotated[str, _is(grammar.PROXMOX_HOST)]
StorageName = Annotated[str, _is(grammar.STORAGE)]
BridgeName = Annotated[str, _is(grammar.BRIDGE)]
TokenId = Annotated[str, _is(grammar.TOKEN_ID)]
TalosVersion = Annotated[str, _is(grammar.TALOS_VERSION)]
Schematic = Annotated[str, _is(grammar.SCHEMATIC)]
SlotName = Annotated[str, _is(grammar.DISK_SLOT)]
ImageVolume = Annotated[str, _is(grammar.IMAGE_VOLUME)]
CpuModel = Annotated[str, _is(grammar.CPU_MODEL)]
MachineType = Annotated[str, _is(grammar.MACHINE_TYPE)]
MappingName = Annotated[str, _is(grammar.MAPPING)]
PoolName = Annotated[str, _is(grammar.POOL)]
Tag = Annotated[str, _is(grammar.TAG)]
EntryName = Annotated[str, _is(grammar.ENTRY)]
KubeName = Annotated[str, _is(grammar.KUBE_NAME)]
NamespaceName = Annotated[str, _is(grammar.NAMESPACE)]
SecretKey = Annotated[str, _is(grammar.SECRET_KEY)]
Branch = Annotated[str, AfterValidator(branch_of)]
Reason = Annotated[str, BeforeValidator(reason_of), json_form(r"\S")]
