"""The real adapter against the door in the forms of 25.04, 25.10 and 26: what it sees, and one clear answer for each trouble."""

from __future__ import annotations

import datetime
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.nas.adapter import TrueNas
from adapters.nas.results import NasLook, Trouble, Unheard
from adapters.nas.session import Bounds
from engine.errors import PermanentError
from engine.secrets import Secret
from lab.wire.pki import LabCA
from lab.wire.truenas.door import TrueNasDoor
from lab.world.nas import LabAlert, LabReplication
from tests.contract.nas.truenas_bench import KEY, VERSIONS, NasBench, bench


@pytest.fixture(params=VERSIONS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, "25.10.6") as made:
        yield made


def trouble(look: NasLook) -> tuple[Trouble, str]:
    assert look.trouble is not None, look
    assert KEY not in repr(look)
    return look.trouble.trouble, look.trouble.detail


def test_everything_of_a_box_in_order_is_seen_in_each_form(box: NasBench) -> None:
    look = box.look()
    assert look.trouble is None
    assert look.version == box.box.version
    assert look.path == {"25.04.2.6": "/api/v25.04.2", "25.10.6": "/api/v25.10.5"}.get(look.version, "/api/v26.0.0")
    assert look.clock is not None
    assert abs(look.clock - time.time()) < 3
    (pool,) = look.pools  # type: ignore[misc]  # a list
    assert (pool.name, pool.status, pool.healthy, pool.warning, pool.odd) == ("tank", "ONLINE", True, False, ())
    assert (pool.scan.function, pool.scan.state, pool.scan.errors) == ("SCRUB", "FINISHED", 0)
    seen = {one.name: (one.locked, one.mounted) for one in look.datasets}  # type: ignore[union-attr]
    assert seen == {"tank": (False, None), "tank/backup": (False, True), "tank/media": (False, True)}
    assert [(one.path, one.enabled, one.locked) for one in look.nfs] == [("/mnt/tank/backup", True, False)]  # type: ignore[union-attr]
    assert [(one.name, one.path, one.read_only) for one in look.smb] == [("media", "/mnt/tank/media", False)]  # type: ignore[union-attr]
    assert {one.name: one.running for one in look.services}["snmp"] is False  # type: ignore[union-attr]
    assert [one.schedule for one in look.tasks] == ["0 0 * * *"]  # type: ignore[union-attr]
    newest = {one.dataset: (one.newest, one.made, one.count) for one in look.snapshots}  # type: ignore[union-attr]
    night = time.time() // 86400 * 86400
    assert newest["tank/backup"] == ("tank/backup@auto-0", night, 3)
    assert [(one.name, one.state) for one in look.replications] == [("to-offsite", "FINISHED")]  # type: ignore[union-attr]
    assert (look.tests is not None) == (look.release == (25, 4))
    assert look.state == ("" if look.release == (25, 4) else "READY")


def test_what_is_wrong_with_a_box_is_seen_in_each_form(box: NasBench) -> None:
    nas, pool = box.box, box.box.pool("tank")
    pool.status, pool.healthy, pool.code = "DEGRADED", False, "FAULTED_DEV_R"
    pool.devices[1].status = "UNAVAIL"
    pool.devices[0].checksum = 4
    nas.dataset("tank/media").key_loaded = False
    nas.dataset("tank/backup").mounted = False
    nas.services["nfs"] = (True, False)
    nas.alerts.append(LabAlert("VolumeStatus", "CRITICAL", "Pool <b>tank</b> &amp; more", time.time() - 60))
    nas.replications.append(LabReplication("to-friend", "tank/media", "x/y", state="ERROR", at=time.time(), error="refused"))
    look = box.look()
    (seen,) = look.pools  # type: ignore[misc]  # a list
    assert (seen.healthy, seen.code) == (False, "FAULTED_DEV_R")
    assert seen.odd == ("sda of data: 4 checksum errors", "sdb (serial ZX2) of data is UNAVAIL")
    datasets = {one.name: one for one in look.datasets}  # type: ignore[union-attr]
    assert (datasets["tank/media"].locked, datasets["tank/media"].mounted) == (True, False)
    assert datasets["tank/media"].unlocking == "tank/media waits for its passphrase"
    assert datasets["tank/backup"].mounted is False
    assert look.smb[0].locked is True  # type: ignore[index]
    assert {one.name: one.running for one in look.services}["nfs"] is False  # type: ignore[union-attr]
    assert [one.text for one in look.alerts] == ["Pool tank & more"]  # type: ignore[union-attr]
    assert [(one.state, one.error) for one in look.replications][1] == ("ERROR", "refused")  # type: ignore[union-attr]
    pool.export()
    look = box.look()
    assert [(one.name, one.status, one.size, one.scan) for one in look.pools] == [("tank", "OFFLINE", None, None)]  # type: ignore[union-attr]
    assert look.datasets == ()


def test_only_what_a_reader_may_ask_is_asked(box: NasBench) -> None:
    look = box.look()
    unheard = [part for part, value in vars(look).items() if isinstance(value, Unheard)]
    assert unheard == []
    assert "core.get_jobs" not in box.door.asked
    assert box.door.asked.count("auth.login_ex") == 1
    assert not any(name.startswith(("config.", "zfs.snapshot.")) for name in box.door.asked) or look.release == (25, 4)


def test_a_wrong_key_an_expired_one_and_one_without_rights_are_three_things(box: NasBench) -> None:
    newest = box.box.version.startswith("26")
    (user,) = box.box.users
    assert trouble(box.look(username="somebody"))[0] is Trouble.KEY
    user.expired = True
    assert trouble(box.look())[0] is Trouble.EXPIRED
    user.expired, user.roles = False, frozenset()
    assert trouble(box.look())[0] is (Trouble.DENIED if newest else Trouble.KEY)
    user.roles = frozenset({"POOL_READ"})
    look = box.look()
    assert look.trouble is None
    assert isinstance(look.pools, tuple)
    assert isinstance(look.alerts, Unheard)
    assert look.alerts.code == "EACCES"
    assert "may not ask this" in look.alerts.why


def certificate(folder: Path, ca: LabCA, days: int, name: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path, str]:
    """A context with a certificate of its own that ends in so many days; the file that vouches for it, and its fingerprint."""
    import hashlib
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file, key_file = folder / f"own{days}.crt", folder / f"own{days}.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    digest = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return context, file, ":".join(digest[at : at + 2] for at in range(0, 64, 2))


def test_another_hosts_certificate_gets_no_key(one: NasBench, tmp_path: Path) -> None:
    what, told = trouble(one.look(fingerprint="AB:" * 31 + "CD"))
    assert what is Trouble.CERTIFICATE
    assert one.keys.fingerprint in told
    assert one.door.asked == []
    other = LabCA(tmp_path / "other")
    what, told = trouble(one.look(fingerprint="", ca_file=str(other.ca_file)))
    assert (what, "does not vouch for it" in told) == (Trouble.CERTIFICATE, True)
    assert one.door.asked == []
    assert one.look(fingerprint="", ca_file=str(one.ca.ca_file)).trouble is None
    context, file, _ = certificate(tmp_path, one.ca, 30, "127.0.0.9")
    door = TrueNasDoor(one.box, context).start()
    what, told = trouble(one.look(fingerprint="", ca_file=str(file), port=door.port))
    door.close()
    assert (what, told, door.asked) == (Trouble.CERTIFICATE, "it is another host's, not 127.0.0.1's", [])
    assert trouble(one.look(fingerprint="", ca_file=str(tmp_path / "absent.pem")))[0] is Trouble.CERTIFICATE


def test_an_expired_certificate_is_refused_and_a_pinned_one_says_when_it_ended(one: NasBench, tmp_path: Path) -> None:
    context, file, pin = certificate(tmp_path, one.ca, -5)
    door = TrueNasDoor(one.box, context).start()
    try:
        assert trouble(one.look(fingerprint="", ca_file=str(file), port=door.port)) == (Trouble.CERTIFICATE, "it has expired")
        assert door.asked == []
        look = one.look(fingerprint=pin, port=door.port)
    finally:
        door.close()
    assert look.trouble is None
    assert look.expires is not None
    assert look.expires < time.time()


def test_a_server_without_tls_is_never_told_the_key(one: NasBench) -> None:
    plain = TrueNasDoor(one.box, None).start()
    assert trouble(one.look(port=plain.port))[0] is Trouble.OTHER
    plain.close()
    assert plain.asked == []
    assert one.box.users[0].revoked is False


@pytest.mark.parametrize("method", ["auth.login_ex", "pool.query", "pool.dataset.encryption_summary"])
def test_a_session_that_is_dropped_in_the_middle_says_while_what(box: NasBench, method: str) -> None:
    box.box.dataset("tank/media").key_loaded = False
    box.box.weather.drop = method
    what, told = trouble(box.look())
    assert what is Trouble.DROPPED
    assert method in told
    box.box.weather.drop = ""
    assert box.look().trouble is None


def test_an_answer_of_10_mb_is_taken_and_one_above_the_limit_is_not(one: NasBench) -> None:
    one.box.alerts.append(LabAlert("VolumeStatus", "INFO", "<p>long</p>", time.time()))
    one.box.weather.padding = 10 * 2**20
    look = one.look(Bounds(look_s=60.0))
    assert look.trouble is None
    assert len(look.alerts[0].text) <= 300  # type: ignore[index]
    what, told = trouble(one.look(Bounds(look_s=60.0, answer=4 * 2**20)))
    assert (what, "more than 4 MiB" in told) == (Trouble.TOO_MUCH, True)


def test_a_job_that_never_ends_is_told_and_the_rest_is_seen(box: NasBench) -> None:
    box.box.dataset("tank/media").key_loaded = False
    box.box.weather.stuck = True
    began = time.monotonic()
    look = box.look()
    assert time.monotonic() - began < 30
    assert look.trouble is None
    told = {one.name: one for one in look.datasets}["tank/media"]  # type: ignore[union-attr]
    assert told.locked is True
    assert told.unlocking == "job 901 (encryption_summary) has not ended within 1 s, it is RUNNING"


def test_a_question_that_is_never_answered_ends_the_look_in_its_time(one: NasBench) -> None:
    one.box.weather.hang = "replication.query"
    began = time.monotonic()
    what, told = trouble(one.look(Bounds(look_s=3.0)))
    assert (what, told) == (Trouble.SLOW, "replication.query: no answer within 3 s")
    assert time.monotonic() - began < 30


def test_what_cannot_be_read_a_standby_a_closed_list_and_a_dark_box_each_have_words(one: NasBench) -> None:
    weather = one.box.weather
    weather.garble = "pool.query"
    assert trouble(one.look())[0] is Trouble.GARBLED
    weather.garble, weather.standby = "", True
    assert trouble(one.look()) == (Trouble.STANDBY, "it sends us to 10.0.0.2")
    weather.standby, weather.shut_out = False, True
    assert trouble(one.look())[0] is Trouble.SHUT_OUT
    weather.shut_out, weather.starting = False, True
    assert one.look().state == "BOOTING"
    one.door.close()
    assert trouble(one.look())[0] is Trouble.UNREACHABLE


def test_too_many_logins_of_a_minute_are_told_as_that(one: NasBench) -> None:
    for _ in range(20):
        one.look(username="somebody")
    assert trouble(one.look())[0] is Trouble.BUSY
    one.door.logins.forget()
    assert one.look().trouble is None


def test_what_answers_otherwise_is_no_truenas(one: NasBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        what, told = trouble(one.look(Bounds(connect_s=0.5), port=deaf.getsockname()[1]))
        assert (what, told) == (Trouble.UNREACHABLE, "no connection within 0.5 s")


def test_the_key_is_in_no_log_however_loud(one: NasBench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "http.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    assert one.look().trouble is None
    one.box.weather.drop = "pool.query"
    one.look()
    assert KEY not in caplog.text


def test_one_look_serves_the_checks_of_one_pass_and_a_missing_key_asks_nobody(one: NasBench) -> None:
    adapter = TrueNas(lambda reference: Secret(KEY))
    assert adapter.look(one.nas) is adapter.look(one.nas)
    assert one.door.asked.count("auth.login_ex") == 1

    def lacking(reference: object) -> Secret:
        raise PermanentError("no source of env:NAS answers", hint="set it")

    look = TrueNas(lacking).look(replace(one.nas, name="other"))
    assert trouble(look) == (Trouble.UNASKED, "no source of env:NAS answers")


def test_rows_that_lack_what_they_are_about_are_no_answer() -> None:
    from adapters.nas import reading

    heard = reading.listed([{"status": "ONLINE"}], "pool.query", reading.pool)
    assert heard == Unheard("pool.query: a row says not what it is about")
    assert reading.listed({"id": 1}, "pool.query", reading.pool) == Unheard("pool.query: the answer is no list")
    (pool,) = reading.listed([{"name": "tank", "new": {"deep": 1}, "healthy": "yes"}], "pool.query", reading.pool)  # type: ignore[misc]
    assert (pool.healthy, pool.status, pool.scan) == (None, "", None)
    assert json.dumps(pool.name) == '"tank"'
