"""What a refusal or a failure of the Proxmox API means for us: look again, or take no for an answer. Knows no client class
beyond the exceptions that proxmoxer and requests raise."""

from __future__ import annotations

import re

import requests
from proxmoxer.core import AuthenticationError, ResourceException

from adapters.proxmox.meanings import Meaning, meaning
from engine.errors import BlackstartError, PermanentError, TransientError


class HostSilent(TransientError):
    """The endpoint was there, and had no answer in time from itself or from the host that the request is about."""


class TokenRefused(PermanentError):
    """The token is not what it should be: no other call of it will be taken either."""


def _meaning(status: int, text: str) -> Meaning:
    if status == 401:
        return Meaning(
            TokenRefused, "check the API token's id and secret, and that neither it nor its user is expired"
        )
    if status == 403:
        return Meaning(
            PermanentError, "grant the privilege to the user and, with privilege separation, to the token as well"
        )
    if status == 501:
        return Meaning(PermanentError, "this Proxmox VE does not know the call: is it older than 8.4?")
    known = meaning(text)
    if known is not None:
        return known
    if status == 400:
        return Meaning(PermanentError, "Proxmox refused a value; the evidence names the parameter")
    if status >= 595:
        return Meaning(HostSilent, "one Proxmox host could not reach another: is the host in the path up?")
    if status >= 500:
        return Meaning(TransientError, "see /var/log/syslog and the task list of the host")
    return Meaning(PermanentError, "is this address a Proxmox VE API?")


def refusal(status: int, text: str, doing: str, errors: object = None) -> BlackstartError:
    """Our error for an answer of 400 or above. `errors` is PVE's map of parameter to text, other shapes are left out.

    Unknown 5xx texts are transient: whoever tries again looks first, and a limit ends it.
    """
    meant = _meaning(status, f"{text} {errors}" if isinstance(errors, dict) else text)
    evidence = [f"{status} {text.strip()}"]
    if isinstance(errors, dict):
        evidence += [f"{key}: {value}" for key, value in errors.items() if isinstance(value, str)]
    reason = evidence[1] if status == 400 and len(evidence) > 1 else text.strip() or f"HTTP {status}"
    return meant.kind(f"Proxmox refused to {doing}: {reason}", evidence=tuple(evidence), hint=meant.hint)


def never_connected(error: Exception) -> bool:
    """Whether this failure came before a connection was there, so that no server can have acted on the request."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and any(
        sign in str(error)
        for sign in ("NewConnectionError", "NameResolutionError", "Failed to resolve", "Failed to establish")
    )


def translate(error: Exception, doing: str, endpoint: str) -> BlackstartError:
    """Our error for what proxmoxer or requests raised while we wanted to do `doing` at `endpoint`; a bug for anything else."""
    if isinstance(error, ResourceException):
        return refusal(int(error.status_code), str(error.content), doing, error.errors)
    if isinstance(error, AuthenticationError):
        return refusal(401, "authentication failure", doing)
    if isinstance(error, requests.exceptions.SSLError):
        return _tls(error, endpoint)
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return PermanentError(
            f"{endpoint} answers with a redirect", hint="give the Proxmox host's own address with https and its port"
        )
    if isinstance(error, requests.exceptions.Timeout):
        kind = TransientError if isinstance(error, requests.exceptions.ConnectTimeout) else HostSilent
        return kind(
            f"{endpoint} did not answer in time while we wanted to {doing}",
            hint="is the host up, and reachable from here?",
        )
    if isinstance(error, requests.exceptions.RequestException):
        return TransientError(
            f"the connection to {endpoint} failed while we wanted to {doing}",
            evidence=(type(error).__name__,),
            hint="is the host up, and reachable from here?",
        )
    if isinstance(error, AttributeError | KeyError | TypeError):
        # proxmoxer takes the shape of a JSON body on trust: a list or a bare object breaks it inside.
        return not_the_api(endpoint, doing)
    raise error


def not_the_api(endpoint: str, doing: str) -> PermanentError:
    """Something answered, but not as the Proxmox API does (HTML behind 200, a JSON body without `data`)."""
    return PermanentError(
        f"{endpoint} does not answer as a Proxmox API does while we wanted to {doing}",
        hint="a login page or a reverse proxy in between? Give the host's own address and port 8006",
    )


def _tls(error: requests.exceptions.SSLError, endpoint: str) -> BlackstartError:
    text = str(error)
    if "ingerprint" in text:
        seen = re.findall(r'got "?([0-9a-fA-F:]{64,95})', text)
        return PermanentError(
            f"the certificate of {endpoint} is not the one in the settings",
            evidence=tuple(f"its SHA-256 fingerprint is {_pasted(value)}" for value in seen),
            hint="if the certificate was renewed, compare with `pvenode cert info` on the host and write the new fingerprint down",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return PermanentError(
            f"the certificate of {endpoint} is not signed by a known authority, or is for another name",
            hint="give its SHA-256 fingerprint, or the file of the authority that signed it (/etc/pve/pve-root-ca.pem)",
        )
    return TransientError(
        f"no TLS connection to {endpoint}", evidence=(type(error).__name__,), hint="is this a Proxmox VE API port?"
    )


def _pasted(fingerprint: str) -> str:
    """As the settings and Proxmox write it: pairs in capitals, with colons."""
    digits = fingerprint.replace(":", "").upper()
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
