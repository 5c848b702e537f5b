"""Who may say who they are at the TrueNAS door, and how: keys, SCRAM, what is revoked, and whose rights end where."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from websockets.sync.client import connect

from lab.wire.truenas import calls
from lab.world.nas import LabUser
from tests.contract.nas.truenas_bench import KEY, NasBench, bench
from tests.lab.wire.truenas_dialling import LOGIN, Ask, dialled, schemas


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, "25.10.6") as made:
        yield made


def test_a_right_key_without_tls_is_revoked(one: NasBench) -> None:
    from lab.wire.truenas.door import TrueNasDoor

    plain = TrueNasDoor(one.box, None).start()
    with connect(f"ws://127.0.0.1:{plain.port}/api/current", proxy=None) as ws:
        ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "auth.login_ex", "params": [LOGIN]}))
        assert json.loads(ws.recv())["result"] == {"response_type": "EXPIRED"}
    plain.close()
    assert one.box.users[0].revoked


def scrammed(ask: Ask, key: str, header: str = "n", binding: bytes = b"") -> dict[str, Any]:
    """A login by SCRAM-SHA-512 as RFC 5802 has it, written here a second time; the server's signature is compared."""
    number, _, secret = key.partition("-")
    bare = f"n=blackstart:{number},r={base64.b64encode(bytes(range(32))).decode()}"
    message = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": f"{header},,{bare}"}
    first: dict[str, Any] = ask("auth.login_ex", message)["result"]
    if first["response_type"] != "SCRAM_RESPONSE":
        return first
    told = dict(part.split("=", 1) for part in first["rfc_str"].split(","))
    salted = hashlib.pbkdf2_hmac("sha512", secret.encode(), base64.b64decode(told["s"]), int(told["i"]))
    plain = f"c={base64.b64encode(f'{header},,'.encode() + binding).decode()},r={told['r']}"
    said = f"{bare},{first['rfc_str']},{plain}".encode()
    client = hmac.digest(salted, b"Client Key", "sha512")
    signature = hmac.digest(hashlib.sha512(client).digest(), said, "sha512")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True))).decode()
    last = {"mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE", "rfc_str": f"{plain},p={proof}"}
    result: dict[str, Any] = ask("auth.login_ex", last)["result"]
    if result["response_type"] == "SCRAM_RESPONSE":
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha512"), said, "sha512")
        assert result["rfc_str"] == f"v={base64.b64encode(server).decode()}"
    return result


def test_a_login_of_26_proves_the_key_without_sending_it_and_can_be_bound_to_the_certificate(tmp_path: Path) -> None:
    with bench(tmp_path, "26.0.0-BETA.3") as made, dialled(made, login=False) as (_, ask):
        assert "SCRAM" in ask("auth.mechanism_choices")["result"]
        bound = "p=tls-server-end-point"
        for key, header, binding in (
            ("3-" + "x" * 64, "n", b""), (f"4-{KEY[2:]}", "n", b""), (KEY, "y", b""), (KEY, bound, b"\x00" * 32), (KEY, bound, b""),
        ):
            assert scrammed(ask, key, header, binding) == {"response_type": "AUTH_ERR"}
            assert ask("auth.me")["error"]["data"]["errname"] == "ENOTAUTHENTICATED"
        for header, binding in (("n", b""), (bound, made.keys.digest)):
            answer = scrammed(ask, KEY, header, binding)
            assert (answer["scram_type"], answer["user_info"]["pw_name"]) == ("SERVER_FINAL_RESPONSE", "blackstart")
        jsonschema.validate(answer, schemas(made.box.version)["auth.login_ex"]["result"])
        made.box.users[0].expired = True
        assert scrammed(ask, KEY) == {"response_type": "EXPIRED"}
        made.box.users[0].expired, made.box.users[0].roles = False, frozenset()
        assert scrammed(ask, KEY) == {"response_type": "DENIED"}
        stray = {"mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE", "rfc_str": "c=biws,r=x,p=y"}
        assert ask("auth.login_ex", stray)["result"] == {"response_type": "AUTH_ERR"}
        for text in ("", "n,,", "n,,n=blackstart:3,r=AAAA", "x,,n=a:3,r=" + "A" * 43 + "="):
            first = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": text}
            assert ask("auth.login_ex", first)["error"]["code"] == -32602


def test_before_26_there_is_no_such_login_and_passwords_open_nothing(
    one: NasBench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls.log, "disabled", False)  # whoever configures logging meanwhile switches those off that there are
    caplog.set_level(logging.WARNING, logger=calls.log.name)
    with dialled(one, login=False) as (_, ask):
        first = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": "n,,n=blackstart:3,r=x"}
        assert ask("auth.login_ex", first)["error"]["code"] == -32602
        password = {"mechanism": "PASSWORD_PLAIN", "username": "root", "password": "hunter2"}
        assert ask("auth.login_ex", password)["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login_ex", {"mechanism": "TOKEN_PLAIN", "token": "t"})["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login", "root", "hunter2")["result"] is False
        assert ask("pool.export_everything")["error"]["code"] == -32601
    assert "'pool.export_everything', which is not known here" in caplog.text
    assert "hunter2" not in caplog.text


def test_another_users_key_and_the_older_login(one: NasBench) -> None:
    one.box.users.append(LabUser("other", "4-" + "b" * 64))
    with dialled(one, login=False) as (_, ask):
        assert ask("auth.login_ex", {**LOGIN, "username": "other"})["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login_ex", {**LOGIN, "login_options": {"reconnect_token": True}})["error"]["code"] == -32602
        assert ask("auth.login_with_api_key", "4-wrong")["result"] is False
        assert ask("auth.login_with_api_key", KEY)["result"] is True
        assert ask("auth.me")["result"]["pw_name"] == "blackstart"
        assert ask("zfs.snapshot.query")["error"]["data"]["errname"] == "EACCES"
        assert ask("config.save")["error"]["data"]["reason"] == "[EACCES] Not authorized"
