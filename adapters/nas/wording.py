"""The server's errors in words: which of them ends a look, and which is one question's own. Quotes no trace and no parameter.

Codes and errnos are those of the middleware's JSON-RPC (25.04 to 26): -32001 carries `data.error`, an errno of its own list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.nas.results import NasTrouble, Trouble, Unheard

METHOD_CALL, NO_METHOD, BAD_PARAMS, TOO_MANY = -32001, -32601, -32602, -32000
ENOENT, EACCES, EBUSY, EINVAL, ENOMETHOD, ELOCKED, ENOTAUTHENTICATED, EOPNOTSUPP = 2, 13, 16, 22, 201, 205, 207, 95
_LONGEST = 200
_ROLES = "give the key's user the privilege Readonly Admin (Credentials > Groups > Privileges)"


class Stopped(Exception):
    """The look is over, and this is why."""

    def __init__(self, trouble: NasTrouble) -> None:
        super().__init__(trouble.detail)
        self.trouble = trouble


def stopped(trouble: Trouble, detail: str, hint: str = "") -> Stopped:
    """The same, of its parts."""
    return Stopped(NasTrouble(trouble, detail, hint))


@dataclass(frozen=True)
class RpcError:
    """One error of the server, without its trace."""

    code: int
    errno: int
    name: str
    reason: str

    @property
    def absent(self) -> bool:
        """Whether this version has no such method on this path, or keeps it to itself: another name may do."""
        return self.code == NO_METHOD or self.errno == ENOMETHOD

    @property
    def missing(self) -> bool:
        """Whether what was asked about is not there."""
        return self.errno == ENOENT

    def unheard(self, method: str) -> Unheard:
        """In words, for the one question that it is the answer to."""
        return Unheard(f"{method}: {self._told()}", self.name)

    def _told(self) -> str:
        if self.absent:
            return "this version has no such method"
        if self.errno == EACCES:
            return f"the key's user may not ask this; {_ROLES}"
        if self.errno == ELOCKED:
            return "the dataset is locked"
        if self.code == TOO_MANY:
            return "too many calls at once"
        return self.reason or f"error {self.code}"


def error_of(told: Any) -> RpcError:
    """The `error` of an answer, whatever it is."""
    error = told if isinstance(told, dict) else {}
    given = error.get("data")
    data = given if isinstance(given, dict) else {}
    code, errno = error.get("code"), data.get("error")
    extra = data.get("extra")
    if errno == EINVAL and isinstance(extra, list) and extra and isinstance(extra[0], list) and len(extra[0]) > 2:
        errno = extra[0][2]  # get_instance of nothing says ENOENT only there
    reason = data.get("reason") or error.get("message") or ""
    return RpcError(
        code if isinstance(code, int) else 0, errno if isinstance(errno, int) else 0, _line(data.get("errname")), _line(reason)
    )


def of_login(answer: Any, username: str) -> None:
    """Nothing for a login that was taken; raises Stopped with what the server said else."""
    said = answer.get("response_type") if isinstance(answer, dict) else None
    if said == "SUCCESS":
        return
    if said == "AUTH_ERR":
        raise stopped(
            Trouble.KEY, f"the key is not one of {username}'s, or that user is unknown, locked, or has no privilege",
            "compare username and api_key with the NAS's page Users > API Keys; a key belongs to one user, who needs a privilege",
        )  # fmt: skip
    if said == "EXPIRED":
        raise stopped(
            Trouble.EXPIRED, f"the key of {username} is expired or revoked, or that account is",
            "make a new key for this user; one that was ever sent without TLS is revoked by the NAS itself",
        )  # fmt: skip
    if said == "DENIED":
        raise stopped(Trouble.DENIED, f"the key is right, and {username} has no privilege for the API", _ROLES)
    if said == "REDIRECT":
        urls = answer.get("urls") if isinstance(answer, dict) else None
        other = ", ".join(map(_line, urls)) if isinstance(urls, list) else ""
        told = f"it sends us to {other or 'the active one'}"
        raise stopped(Trouble.STANDBY, told, "name the active controller, or its virtual address")
    raise stopped(Trouble.GARBLED, f"the login was answered with {_line(said) or 'nothing that is known'}")


def login_refused(error: RpcError) -> Stopped:
    """A login that was answered with an error."""
    if error.errno == EBUSY:
        return stopped(Trouble.BUSY, "more than 20 logins came from this address", "wait a minute; nothing is locked")
    if error.errno == EOPNOTSUPP:
        return stopped(Trouble.KEY, "it takes no API keys (STIG mode)", "it cannot be asked in this mode")
    if error.code == BAD_PARAMS:
        return stopped(Trouble.OTHER, f"it does not know this form of login: {error.reason}")
    return stopped(Trouble.GARBLED, f"the login ended with {error.reason or error.code}")


def _line(text: Any) -> str:
    """One short line of whatever it was."""
    if not isinstance(text, (str, int, float)):
        return ""
    return " ".join(str(text).split())[:_LONGEST]
