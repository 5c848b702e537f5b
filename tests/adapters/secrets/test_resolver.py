"""References become values: every kind of source, the second source, the errors, and what sops is told. sops is real."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from adapters.process.keeper import Keeper
from adapters.process.results import NO_ENVIRONMENT, Finished, ProgramFailed, ProgramMissing, ProgramTimedOut
from adapters.secrets.resolver import Secrets
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret, redact
from house.model import SecretRef

BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"
AGE_KEY = SecretRef(("file:age.key",))


class Programs:
    """A Runner that answers from a table: program → output or error. Keeps what it was asked and given."""

    def __init__(self, **answers: bytes | Exception) -> None:
        self.answers = answers
        self.asked: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in env.items()}
        self.asked.append((tuple(argv), plain))
        answer = self.answers.get(argv[0], ProgramMissing(f"the program {argv[0]} is not on this machine"))
        if isinstance(answer, Exception):
            raise answer
        return Finished(" ".join(argv), 0, answer, (), 0.1)


def secrets(root: Path, programs: Programs | None = None, **environ: str) -> Secrets:
    return Secrets(programs or Programs(), root, AGE_KEY, environ)


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def test_environment_and_file_without_the_last_newline(tmp_path: Path) -> None:
    write(tmp_path / "token", "from-a-file\n")
    it = secrets(tmp_path, TOKEN="from-the-environment")
    assert it.resolve(SecretRef(("env:TOKEN",))).reveal() == "from-the-environment"
    assert it.resolve(SecretRef(("file:token",))).reveal() == "from-a-file"
    assert it.resolve(SecretRef((f"file:{tmp_path}/token",))).reveal() == "from-a-file"
    assert "from-a-file" not in redact("it was from-a-file")


def test_the_second_source_answers_when_the_first_cannot_be_had_and_both_are_told(tmp_path: Path) -> None:
    write(tmp_path / "token", "value-of-token")
    ref = SecretRef(("env:UNSET", "file:nowhere", "op://home/nas/password", "file:token"))
    it = secrets(tmp_path, UNSET="")
    assert it.resolve(ref).reveal() == "value-of-token"
    answer = it.answer(ref)
    assert answer.source == "file:token"
    assert answer.passed_over == (
        "env:UNSET: not set, or empty, in the environment",
        "file:nowhere: no such file",
        "op://home/nas/password: the program op is not on this machine",
    )


def test_no_source_is_permanent_and_names_each_reason(tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as caught:
        secrets(tmp_path).resolve(SecretRef(("env:UNSET", "file:nowhere")))
    assert caught.value.evidence == ("env:UNSET: not set, or empty, in the environment", "file:nowhere: no such file")


def test_a_source_that_may_answer_later_is_transient(tmp_path: Path) -> None:
    programs = Programs(op=ProgramTimedOut("op did not end in 60 s"))
    with pytest.raises(TransientError):
        secrets(tmp_path, programs).resolve(SecretRef(("op://home/nas/password", "env:UNSET")))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_can_read_is_refused_not_passed_over(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "token", "value-of-token", mode)
    with pytest.raises(PermanentError) as caught:
        secrets(tmp_path, SECOND="x").resolve(SecretRef(("file:token", "env:SECOND")))
    assert caught.value.next_command == f"chmod 600 {tmp_path / 'token'}"


def test_op_gets_its_own_variables_and_nothing_else(tmp_path: Path) -> None:
    programs = Programs(op=b"from-the-vault")
    it = secrets(tmp_path, programs, OP_SERVICE_ACCOUNT_TOKEN="ops_token_value", HOME="/home/me", AWS_PROFILE="x")
    ref = SecretRef(("op://home/nas/password",))
    assert it.resolve(ref).reveal() == it.resolve(ref).reveal() == "from-the-vault"
    assert programs.asked == [
        (
            ("op", "read", "--no-newline", "op://home/nas/password"),
            {"OP_SERVICE_ACCOUNT_TOKEN": "ops_token_value", "HOME": "/home/me"},
        )
    ], "asked once per run"


def test_sops_gets_the_key_in_its_environment_only_and_decrypts_a_file_once(tmp_path: Path) -> None:
    write(tmp_path / "age.key", "# public key: age1abc\nAGE-SECRET-KEY-1QQQQQQ\n")
    write(tmp_path / "cluster.sops.yaml", "encrypted")
    encoded = base64.b64encode(b"decoded-value").decode()
    document = {
        "kind": "Secret",
        "stringData": {"RESTIC_PASSWORD": "restic-password", "tls.crt": "dotted-key", "n": 12345, "list": [{"a": "in-list"}]},
        "data": {"KEY": encoded, "bad": "***"},
    }
    programs = Programs(sops=json.dumps(document).encode())
    it = secrets(tmp_path, programs)
    for key, value in (
        ("stringData.RESTIC_PASSWORD", "restic-password"),
        ("stringData.tls.crt", "dotted-key"),
        ("stringData.n", "12345"),
        ("stringData.list[0].a", "in-list"),
        ("data.KEY", "decoded-value"),
    ):
        assert it.resolve(SecretRef((f"sops:cluster.sops.yaml#{key}",))).reveal() == value
    ((argv, env),) = programs.asked
    assert argv == ("sops", "--decrypt", "--output-type", "json", str(tmp_path / "cluster.sops.yaml"))
    assert env == {"SOPS_AGE_KEY": "# public key: age1abc\nAGE-SECRET-KEY-1QQQQQQ"}
    for key, reason in (
        ("stringData.RESTIC_PASWORD", "no such key in the file; there are: stringData.RESTIC_PASSWORD"),
        ("RESTIC_PASSWORD", "no such key in the file; there are: stringData.RESTIC_PASSWORD"),
        ("data.RESTIC_PASSWORD", "no such key in the file; there are: stringData.RESTIC_PASSWORD"),
        ("zzz", "there are: kind, stringData.RESTIC_PASSWORD, stringData.tls.crt, stringData.n and 3 more"),
        ("data", "the key does not hold text; there are: data.KEY, data.bad"),
        ("stringData.list", "the key does not hold text; there are: stringData.list[0].a"),
        ("stringData.list[4].a", "no such key in the file; there are: stringData.list[0].a"),
        ("data.bad", "not base64"),
    ):
        with pytest.raises(PermanentError) as caught:
            it.resolve(SecretRef((f"sops:cluster.sops.yaml#{key}",)))
        assert reason in caught.value.evidence[0]
        assert f"{caught.value.what}{caught.value.evidence}".count("cluster.sops.yaml#") == 1, "a reference is told once"


def test_an_age_key_inside_a_sops_file_does_not_go_round_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "a.sops.yaml", "encrypted")
    it = Secrets(Programs(), tmp_path, SecretRef(("sops:a.sops.yaml#key",)), {})
    with pytest.raises(PermanentError) as caught:
        it.resolve(SecretRef(("sops:a.sops.yaml#other",)))
    assert "cannot come out of a file that it opens itself" in caught.value.evidence[0]


def test_a_failure_of_sops_is_told_with_its_last_line(tmp_path: Path) -> None:
    write(tmp_path / "age.key", "AGE-SECRET-KEY-1QQQQQQ")
    write(tmp_path / "a.sops.yaml", "encrypted")
    failed = ProgramFailed("sops ended with code 128", Finished("sops", 128, b"", (), 0.1), ("first", "no identity matched"))
    with pytest.raises(PermanentError) as caught:
        secrets(tmp_path, Programs(sops=failed)).resolve(SecretRef(("sops:a.sops.yaml#k",)))
    assert caught.value.evidence == ("sops ended with code 128 (no identity matched)",)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with Keeper(tmp_path / "state", search=(BIN,)) as it:
        yield it


@pytest.mark.programs
@pytest.mark.skipif(not (BIN / "sops").exists() or not (BIN / "age-keygen").exists(), reason="sops and age are not built")
def test_real_sops_and_age(keeper: Keeper, tmp_path: Path) -> None:
    key = keeper.run(["age-keygen"], timeout_s=30).stdout.decode()
    write(tmp_path / "age.key", key)
    recipient = next(line for line in key.splitlines() if "public key" in line).rpartition(" ")[2]
    plain = tmp_path / "s.sops.yaml"
    plain.write_text("apiVersion: v1\nkind: Secret\nstringData:\n  PASSWORD: a pass phrase\n")
    encrypt = ["sops", "--encrypt", "--in-place", "--age", recipient, "--encrypted-regex", "^(data|stringData)$", str(plain)]
    keeper.run(encrypt, timeout_s=30)
    assert "a pass phrase" not in plain.read_text()
    it = Secrets(keeper, tmp_path, AGE_KEY, {})
    assert it.resolve(SecretRef(("sops:s.sops.yaml#stringData.PASSWORD",))).reveal() == "a pass phrase"

    write(tmp_path / "age.key", keeper.run(["age-keygen"], timeout_s=30).stdout.decode())
    with pytest.raises(PermanentError) as caught:
        Secrets(keeper, tmp_path, AGE_KEY, {}).resolve(SecretRef(("sops:s.sops.yaml#stringData.PASSWORD",)))
    assert "sops ended with code" in caught.value.evidence[0]
