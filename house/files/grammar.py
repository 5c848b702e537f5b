"""What names, addresses, URLs, versions and branches may be made of: one grammar each, for all readers. Knows no file.

Sources: RFC 1123 as Kubernetes applies it (object names, namespaces), Helm (releases of at most 53 signs), git-check-ref-format,
Proxmox VE's own schema (MAC, bridge), the Image Factory (schematics are SHA-256 sums).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ANY_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LONGEST_SHOWN = 60
_PORT = re.compile(r"[0-9]{1,5}")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[-/.]|[/.]$|^@$")
_ODD_IN_URL = re.compile(r"[^\x21-\x7e]|[\"'<>\\^`{|}]")


@dataclass(frozen=True)
class Grammar:
    """One kind of text: what it is called in messages, one example, its form and its greatest length."""

    noun: str
    example: str
    form: re.Pattern[str]
    longest: int = 253

    def fits(self, text: str) -> bool:
        """Whether the text is one of this kind."""
        return len(text) <= self.longest and self.form.fullmatch(text) is not None

    def wrong(self, text: str) -> tuple[str, str] | None:
        """What is wrong with the text and what would be right; None when it fits."""
        return None if self.fits(text) else (f"{quoted(text)} is not {self.noun}", f"write it as in {self.example}")


def _grammar(noun: str, example: str, form: str, longest: int = 253) -> Grammar:
    return Grammar(noun, example, re.compile(form), longest)


HOSTNAME = _grammar("a host's name (small letters, digits and dashes)", "cp-1", _SUBDOMAIN, 63)
KUBE_NAME = _grammar("a name that Kubernetes takes", "external-secrets", _SUBDOMAIN)
NAMESPACE = _grammar("a namespace's name", "flux-system", _LABEL, 63)
RELEASE = _grammar("a Helm release's name", "cilium", _SUBDOMAIN, 53)
SECRET_KEY = _grammar("a key of a Secret", "token", r"[A-Za-z0-9._-]+")
CLUSTER = _grammar("a cluster's name", "kubernetes", r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", 63)
PROXMOX_HOST = _grammar("a Proxmox host's name", "pve-1", rf"{_ANY_LABEL}(?:\.{_ANY_LABEL})*", 63)
STORAGE = _grammar("a Proxmox storage's name", "local-lvm", r"[A-Za-z][A-Za-z0-9._-]*", 100)
BRIDGE = _grammar("a bridge's name", "vmbr0", r"[A-Za-z][A-Za-z0-9._]{0,14}")
TOKEN_ID = _grammar("a token id", "blackstart@pve!run", r"[^\s:/@!]+@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+", 128)
DISK_SLOT = _grammar("a disk slot", "scsi1, or virtio0", r"scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])")
IMAGE_VOLUME = _grammar(
    "a volume with an image or an ISO", "local:iso/metal-amd64.iso, or local:import/talos.qcow2",
    r"[A-Za-z][A-Za-z0-9._-]*:(iso/[^/\s]+\.iso|import/[^/\s]+\.(qcow2|raw))",
)  # fmt: skip
CPU_MODEL = _grammar("a CPU type", "host, or x86-64-v3", r"[A-Za-z0-9][A-Za-z0-9._-]*(,[a-z-]+=[A-Za-z0-9+;._-]+)*", 200)
MACHINE_TYPE = _grammar("a machine type", "q35", r"(q35|pc)|pc-(q35|i440fx)-[0-9]+(\.[0-9]+)+(\+pve[0-9]+)?", 40)
MAPPING = _grammar("a resource mapping's name", "gpu", r"[A-Za-z][A-Za-z0-9._-]*", 100)
POOL = _grammar("a resource pool's name", "kubernetes", r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}", 100)
TAG = _grammar("a tag of small letters and digits", "k8s", r"[a-z0-9_][a-z0-9_+.-]*", 60)
SCHEMATIC = _grammar("a schematic's id of the Image Factory", "376567988ad3…, 64 hex digits", r"[0-9a-f]{8,64}", 64)
VERSION = _grammar("a version", "v1.13.9", r"v?[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,5}(-[A-Za-z0-9.-]+)?", 60)
TALOS_VERSION = _grammar("a Talos version", "v1.13.9", rf"v{VERSION.form.pattern[2:]}", 60)
HOUSE_NAME = _grammar("a name of small letters, digits and dashes", "home-ops", r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
HOUSE_ID = _grammar("a house id (8 to 32 small hex digits)", "5f1d7c2a9e; config.init makes one", r"[0-9a-f]{8,32}")
ENTRY = _grammar("a name of small letters and digits", "gateway-api", r"[a-z0-9]([a-z0-9./-]{0,80}[a-z0-9])?")
VARIABLE = _grammar("the name of a variable", "ROOT_DIR", r"[A-Za-z_][A-Za-z0-9_]{0,127}")
CHART_VERSION = _grammar(
    "one version of a chart", "1.19.4", r"v?[0-9]{1,9}(\.[0-9]{1,9}){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", 128
)
_DNS = re.compile(rf"{_ANY_LABEL}(?:\.{_ANY_LABEL})*\.?")


def quoted(text: str) -> str:
    """A text as messages show it: in backquotes, unless it is long or would not print on one line."""
    return f"`{text}`" if len(text) <= _LONGEST_SHOWN and text.isprintable() else "this text"


LARGEST = 2**63 - 1
"""What fits into a number of Go's and C's."""


def number_of(digits: str, most: int = LARGEST) -> int | None:
    """The number of ASCII digits, None where they are none or it is larger than `most`: `int` takes far more, and fails on some."""
    if len(digits) > len(str(most)) or not re.fullmatch(r"[0-9]+", digits):
        return None
    number = int(digits)
    return number if number <= most else None


def address_of(text: str) -> Address | None:
    """An IP address, None for what is none. Two spellings of one are equal, as is an IPv4 address inside of an IPv6 one. One with a
    zone (`fe80::1%eth0`) means something on one machine alone, and is none."""
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def interface_of(text: str) -> Interface | None:
    """An address with its prefix as Go reads it, alone in its network without one; None for what is none, as with a netmask."""
    address, slash, prefix = text.partition("/")
    if "%" in address or (slash and _PREFIX.fullmatch(prefix) is None):
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def network_of(text: str) -> Network | None:
    """The network of an address with its prefix, None for what is none or has no prefix."""
    found = interface_of(text) if "/" in text else None
    return found.network if found is not None else None


def unusable(address: Address) -> str:
    """Why no machine can have this address, "" for one that a machine can have."""
    if address.is_unspecified or (address.version == 4 and int(address) < 2**24):
        return "is no machine's address"
    if address.is_multicast:
        return "is a multicast address"
    if int(address) == 2**32 - 1 and address.version == 4:
        return "is the broadcast address"
    if address.is_link_local:
        return "is a link-local address"
    return "is a reserved address" if address.is_reserved else ""


def mac_of(text: str) -> str:
    """A MAC address in lower case with colons. ValueError `what; better` for what no network card has."""
    mac = text.lower().replace("-", ":")
    if _MAC.fullmatch(mac) is None:
        raise ValueError(f"{quoted(mac)} is not a MAC address; write six pairs of hex digits, as in bc:24:11:00:00:01")
    if int(mac[:2], 16) % 2 or mac == "00:00:00:00:00:00":
        kind = "is that of no network card" if mac == "00:00:00:00:00:00" else "is a multicast address, and no network card's"
        raise ValueError(f"`{mac}` {kind}; write the card's own, as in bc:24:11:00:00:01")
    return mac


def host_fits(text: str) -> bool:
    """Whether a URL's host (without brackets) is an address or a DNS name. One that ends in digits must be an address."""
    if address_of(text) is not None:
        return True
    last = text.rstrip(".").rpartition(".")[2]
    return len(text) <= 253 and _DNS.fullmatch(text) is not None and not last.isdecimal()


def url_parts(text: str) -> SplitResult | None:
    """A URL taken apart, None for what is none: blanks, control characters, a host that is none, a port that is none."""
    if _ODD_IN_URL.search(text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    if not parts.scheme or not host_fits(host):
        return None
    tail = parts.netloc.rpartition("@")[2]
    _, colon, port = tail.rpartition("]")[2].rpartition(":")
    if colon and (_PORT.fullmatch(port) is None or not 0 < int(port) < 65536):
        return None
    return parts


def port_of(parts: SplitResult) -> int:
    """The port that a URL of `url_parts` names, 0 for none."""
    return parts.port or 0


def endpoint_wrong(text: str) -> tuple[str, str] | None:
    """What is wrong with the URL of a cluster's API, and what would be right; None when it is https://host:port and no more."""
    better = "write the API's URL, as in `endpoint: https://10.0.0.2:6443`"
    parts = url_parts(text)
    if parts is None or not parts.netloc:
        return f"{quoted(text)} is not a URL of a host and a port", better
    if parts.scheme != "https":
        return f"{quoted(text)} is not https", better
    if parts.username is not None or parts.password is not None:
        return "holds a user or a password", better
    if not port_of(parts):
        return f"{quoted(text)} names no port", better
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"{quoted(text)} names more than a host and a port", better
    return None


def branch_wrong(text: str) -> tuple[str, str] | None:
    """What is wrong with a branch's name, and what would be right; None when git takes it."""
    if len(text) > 200 or not text or _BAD_IN_BRANCH.search(text):
        return f"{quoted(text)} is not a branch that git takes", "write the branch, as in `branch: main`"
    return None
