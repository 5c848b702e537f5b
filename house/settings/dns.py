"""The settings' DNS section, and its small language: a server, and what a name must lead to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from house.files.grammar import quoted
from house.settings.section import Section, what
from house.settings.values import json_form, wrong
from house.values.dns import PORT, is_address

ANY, NONE = "any", "none"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SERVER = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([0-9.]+)(?::([0-9]{1,5}))?|([0-9A-Fa-f:]+)")


def server_of(value: Any) -> tuple[str, int]:
    """Address and port of a server of names. A name would have to be looked up first, which is what is in question."""
    found = _SERVER.fullmatch(value.strip()) if isinstance(value, str) else None
    host, port = "", PORT
    if found is not None:
        host = found[1] or found[3] or found[5]
        port = int(found[2] or found[4] or PORT)
    if not is_address(host) or not 0 < port < 65536:
        raise wrong(f"{quoted(str(value))} is no server of names", "write its address, as in 10.0.0.1 or 10.0.0.1:5353")
    return host, port


def name_of(value: str) -> str:
    """A whole name, without a dot at its end."""
    text = value.rstrip(".").lower()
    if _NAME.fullmatch(text) is None or len(text) > 253 or is_address(text):
        raise wrong(f"{quoted(value)} is no whole name", "write it as in www.example.com")
    return text


def wanted_of(value: Any) -> tuple[str, ...] | None:
    """`any`, `none`, an address, a name, or a list of addresses."""
    if value == ANY:
        return None
    if value == NONE:
        return ()
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(one, str) for one in given):
        raise wrong("is nothing that a name leads to", "write an address, a name, any or none")
    if all(is_address(one) for one in given):
        return tuple(str(ip_address(one)) for one in given)
    if len(given) == 1:
        return (name_of(given[0]),)
    raise wrong("mixes addresses with names", "write a list of addresses, or one name")


_WANTED_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
DnsHost = Annotated[tuple[str, int], BeforeValidator(server_of), json_form(r"^[0-9A-Fa-f:.\[\]]+$")]
WholeName = Annotated[str, AfterValidator(name_of)]
Wanted = Annotated[tuple[str, ...] | None, BeforeValidator(wanted_of), WithJsonSchema(_WANTED_SCHEMA)]


class DnsSection(Section):
    """One server of names, and what it must answer."""

    server: DnsHost = what("the server's address", "10.0.0.1")
    names: dict[WholeName, Wanted] = what(
        "what each name leads to there: an address, a name, any or none", {"nas.example.com": "10.0.0.5"}, {}
    )
    endpoints: bool = Field(
        default=False, description="whether the names of DNSEndpoints in Git are answered there, too", examples=[True]
    )

    @model_validator(mode="after")
    def _something_to_ask(self) -> DnsSection:
        if not self.names and not self.endpoints:
            raise wrong("names nothing to be asked", "give it names, or endpoints: true")
        return self
