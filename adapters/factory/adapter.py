"""The image factory's port over HTTPS: asks for the checksum beside an image. Downloads no image: the hosts do that."""

from __future__ import annotations

import re

import requests

from engine.errors import PermanentError, TransientError

_CONNECT_S = 5.0
_ANSWER_S = 30.0
_LARGEST = 4096
_BY_HAND = "download the image once, check its signature, and write its SHA-256 down as image.sha256"


class FactoryAdapter:
    """Reads `URL.sha256`. `ca_file` names the authority to trust ("" for the machine's own)."""

    def __init__(self, ca_file: str = "") -> None:
        self._ca_file = ca_file

    def sha256(self, url: str) -> str:
        """SHA-256 of the image at this URL, in lower-case hex.

        The public Image Factory publishes checksums to paying customers only and answers 402 (docs.siderolabs.com, Image
        Factory): that, a missing file and a file of another shape are PermanentErrors; what may pass is transient.
        """
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.get(
                    url + ".sha256", verify=self._ca_file or True, timeout=(_CONNECT_S, _ANSWER_S), stream=True
                )
                with answer:
                    return self._read(url, answer)
            except requests.exceptions.SSLError:
                raise PermanentError(
                    f"the certificate of the image factory at {url} is not trusted",
                    hint="is the URL right, and the clock?",
                ) from None
            except (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
            ):
                raise PermanentError(
                    f"{url} is no address of an image", hint="image.url begins with https://"
                ) from None
            except requests.exceptions.RequestException as error:
                raise TransientError(
                    f"the image factory does not answer at {url}",
                    evidence=(type(error).__name__,),
                    hint="is the internet reachable from here?",
                ) from None

    def _read(self, url: str, answer: requests.Response) -> str:
        status = f"{answer.status_code} {answer.reason}"
        if answer.status_code >= 500 or answer.status_code == 429:
            raise TransientError(f"the image factory is not well: {status}", hint="try again later")
        if answer.status_code == 402:
            raise PermanentError(
                "this image factory does not publish checksums for free", evidence=(status,), hint=_BY_HAND
            )
        if answer.status_code != 200:
            raise PermanentError(f"no checksum is published for {url}", evidence=(status,), hint=_BY_HAND)
        text = next(answer.iter_content(_LARGEST), b"").decode("ascii", "replace").strip()
        first, _, name = text.partition(" ")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", first) or name.strip(" *") not in ("", url.rsplit("/", 1)[-1]):
            raise PermanentError(f"what is published as checksum of {url} is none", hint=_BY_HAND)
        return first.lower()
