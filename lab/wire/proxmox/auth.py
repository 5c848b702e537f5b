"""Who sends a request: API token, or ticket with CSRF token. Knows no call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import unquote

from engine.waiting import Clock
from lab.world.pve.access import Access, Refusal

TICKET_LIFE_S = 7200
_COOKIE, _TOKEN = "PVEAuthCookie", "PVEAPIToken"


class Tickets:
    """Issues and checks tickets; the key to them lives as long as this object."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def log_in(self, name: str, password: str) -> dict[str, object]:
        """A new ticket for the right password, or for a ticket that is still good; the 401 of a failed login otherwise."""
        user = self._access.users.get(name)
        by_password = (
            user is not None and bool(user.password) and hmac.compare_digest(user.password.encode(), password.encode())
        )
        if user is None or not self._good(user.told) or not (by_password or self._user_of(password) == name):
            raise Refusal(401, "authentication failure")
        stamp = f"{int(self._clock.now()):08X}"
        return {
            "username": name,
            "ticket": f"PVE:{name}:{stamp}::{self._sign(f'PVE:{name}:{stamp}')}",
            "CSRFPreventionToken": f"{stamp}:{self._sign(f'{stamp}:{name}')}",
        }

    def actor(self, method: str, headers: Mapping[str, str]) -> str:
        """The user or token that sends this request; raises the 401 of PVE. A ticket wins over a token, and may come as a cookie
        or, as a cookie is written, in the Authorization header."""
        authorization = headers.get("authorization", "")
        ticket = _value(headers.get("cookie", ""), _COOKIE) or _value(authorization, _COOKIE)
        if ticket:
            name = self._user_of(ticket)
            if not name:
                raise Refusal(401, "permission denied - invalid PVE ticket")
            stamp, _, signature = headers.get("csrfpreventiontoken", "").partition(":")
            if method != "GET" and not hmac.compare_digest(signature, self._sign(f"{stamp}:{name}")):
                raise Refusal(401, "Permission denied - invalid csrf token")
            return name
        return self._token(_value(authorization, _TOKEN))

    def _token(self, told: str) -> str:
        if not told:
            raise Refusal(401, "No ticket")
        token_id, _, value = told.partition("=")
        token = self._access.tokens.get(token_id)
        if token is None or not token.secret or not hmac.compare_digest(token.secret.encode(), value.encode()):
            raise Refusal(401, "Authentication failed!")
        if not (self._good(token.told) and self._good(self._access.users[token.user].told)):
            raise Refusal(401, "Authentication failed!")
        return token_id

    def _good(self, told: Mapping[str, str | int]) -> bool:
        """Whether what is said of a user or token lets it in: not disabled, and not past its end (0 for none)."""
        return bool(told.get("enable", 1)) and not 0 < int(told.get("expire", 0)) < self._clock.now()

    def _user_of(self, ticket: str) -> str:
        head, _, signature = ticket.partition("::")
        parts = head.split(":")
        if len(parts) != 3 or parts[0] != "PVE" or not hmac.compare_digest(signature, self._sign(head)):
            return ""
        age = self._clock.now() - int(parts[2], 16)
        return parts[1] if -300 <= age <= TICKET_LIFE_S and parts[1] in self._access.users else ""

    def _sign(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()


def _value(header: str, key: str) -> str:
    """What a header says of this key, "" for nothing."""
    found = re.search(rf"(?:^|\s){key}[= ]([^;]*)", header)
    return unquote(found[1]) if found is not None else ""
