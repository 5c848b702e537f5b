"""The image factory's port over HTTPS: is the image there, and which checksum is published beside it. Downloads none: hosts do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from engine.errors import PermanentError, TransientError

_CONNECT_S = 5.0
# A factory that makes images on demand may take a while over the first question for one.
_ANSWER_S = 30.0
_LARGEST = 4096
_OK = frozenset({200, 206})


class FactoryAdapter:
    """Asks for the image's head, and reads `URL.sha256`. `ca_file` names the authority to trust ("" for the machine's own)."""

    def __init__(self, ca_file: str = "") -> None:
        self._ca_file = ca_file

    def image_problem(self, url: str) -> str:
        """Why no image can be had at this URL, "" when one is there; what may pass is a TransientError.

        HEAD alone decides nothing but a yes: servers that redirect to an address signed for GET, or that do not know HEAD,
        refuse it for an image they have. A GET of the first byte is the judge then.
        """
        with self._asked("HEAD", url) as answer:
            if answer.status_code == 200:
                return _page(answer)
        with self._asked("GET", url, {"Range": "bytes=0-0"}) as answer:
            if answer.status_code in _OK:
                return _page(answer)
            _refuse_weak(answer)
            return f"{answer.status_code} {answer.reason}"

    def sha256(self, url: str) -> str:
        """The SHA-256 that is published for the image at this URL, in lower-case hex; "" when none is.

        The public Image Factory publishes checksums to paying customers only and answers 402 (docs.siderolabs.com, Image
        Factory). What is there and is no checksum is a PermanentError; what may pass is a TransientError.
        """
        with self._asked("GET", url + ".sha256") as answer:
            _refuse_weak(answer)
            if answer.status_code != 200:
                return ""
            text = next(answer.iter_content(_LARGEST), b"").decode("ascii", "replace").strip()
        first, _, name = text.partition(" ")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", first) or name.strip(" *") not in ("", url.rsplit("/", 1)[-1]):
            raise PermanentError(
                f"what is published as checksum of {url} is none",
                hint="is this the factory, or a page in front of it? With image.sha256 in the settings it is not asked for",
            )
        return first.lower()

    @contextmanager
    def _asked(self, method: str, url: str, headers: dict[str, str] | None = None) -> Iterator[requests.Response]:
        """The answer, its body not read yet. Redirects are followed."""
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(
                    method, url, headers=headers, verify=self._ca_file or True, timeout=(_CONNECT_S, _ANSWER_S),
                    stream=True, allow_redirects=True,
                )  # fmt: skip
                with answer:
                    yield answer
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


def _page(answer: requests.Response) -> str:
    """A login or error page behind a 200 is no image, nor is nothing at all."""
    if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        return "a web page is there, and no image"
    return "an empty file is there" if answer.headers.get("Content-Length") == "0" else ""


def _refuse_weak(answer: requests.Response) -> None:
    if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
        raise TransientError(
            f"the image factory is not well: {answer.status_code} {answer.reason}", hint="try again later"
        )
