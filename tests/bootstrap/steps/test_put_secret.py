"""kubernetes.put-secret: the age key, and the deploy key where there is one; only whether it matches is ever told."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.steps.put_secret import PutSecret
from engine.probe import Condition
from house.files import yamlfile
from house.model import BootstrapSecret, SecretForm, SecretRef
from tests.builders import a_house
from tests.hands import do, is_a_command, see, step
from tests.scenario.running import Running

STEP = "kubernetes.put-secret/sops-age"


def test_missing_drifted_and_satisfied(built: Running) -> None:
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    secrets = built.home.kube.objects().secrets
    secrets[("flux-system", "sops-age")] = "another key"
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("data",))
    del secrets[("flux-system", "sops-age")]
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_person_gives_the_value_through_a_pipe_also_where_another_is_there(bare: Running) -> None:
    typed = step(bare.bootstrap, STEP).by_hand()
    assert '--from-file=age.agekey=<(printf %s "$(cat /house/age.key)")' in typed
    assert typed.endswith(" | kubectl apply --server-side --force-conflicts -f -")


def test_what_a_person_types_makes_every_key_without_the_newline_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("first\n")
    (tmp_path / "two").write_text("a\nb\n")
    keys = tuple((name, SecretRef((f"file:{tmp_path / name}",))) for name in ("one", "two"))
    typed = PutSecret(a_house(), BootstrapSecret("tools", "login", keys, type="example.net/login")).by_hand()
    assert is_a_command(typed)
    told = """kubectl() {
        case " $* " in *" create "*) for a in "$@"; do
        case $a in --from-file=*) cat "${a##*=}"; echo "|${a%=*}";; *) echo "$a";; esac; done;; *) cat;; esac; }"""
    shown = subprocess.run(["bash", "-c", f"{told}; {typed}"], capture_output=True, text=True, check=True, timeout=20)
    lines = shown.stdout.splitlines()
    assert [line for line in lines if "from-file" in line or line == "a"] == ["first|--from-file=one", "a", "b|--from-file=two"]
    assert "--type=example.net/login" in lines


@pytest.mark.parametrize(
    ("url", "value", "fields"),
    [
        ("https://git.invalid/home-ops", "a-token\n", {"username": "git", "password": "a-token"}),
        (
            "ssh://git@git.invalid/home-ops",
            "identity: |\n  one\n  two\nknown_hosts: git.invalid ssh-ed25519 AAAA\n",
            {"identity": "one\ntwo\n", "known_hosts": "git.invalid ssh-ed25519 AAAA"},
        ),
    ],
)
def test_what_a_person_types_for_the_deploy_key_makes_the_fields_that_flux_reads(
    tmp_path: Path, url: str, value: str, fields: dict[str, str]
) -> None:
    (tmp_path / "key").write_text(value)
    house = a_house()
    flux = replace(house.flux, url=url, deploy_key=SecretRef((f"file:{tmp_path / 'key'}",)))
    key = BootstrapSecret("flux-system", "deploy-key", (("deploy-key", flux.deploy_key or SecretRef(())),), SecretForm.DEPLOY_KEY)
    typed = PutSecret(replace(house, flux=flux), key).by_hand()
    assert is_a_command(typed)
    shown = subprocess.run(
        ["bash", "-c", f'kubectl() {{ cat "${{@: -1}}"; }}; {typed}'], capture_output=True, text=True, check=True, timeout=20
    )
    assert yamlfile.value(shown.stdout, "typed") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "deploy-key", "namespace": "flux-system"},
        "stringData": fields,
    }
