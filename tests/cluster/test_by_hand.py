"""What a person types to get at a secret or a backup: never the secret itself, each source in its turn."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace

from cluster.by_hand import record_by_hand, restic_by_hand, secret_by_hand
from house.model import SecretRef
from tests.builders import a_claim


def test_every_form_of_a_reference_is_a_command_that_prints_it() -> None:
    assert secret_by_hand(SecretRef(("env:AGE", "file:/house/age key"))) == "printenv AGE || cat '/house/age key'"
    assert secret_by_hand(SecretRef(("op://vault/item/field",))) == "op read op://vault/item/field"
    assert shlex.split(secret_by_hand(SecretRef(("sops:/s.sops.yaml#stringData.list[0]",)))) == [
        "sops", "--decrypt", "--extract", '["stringData"]["list"][0]', "/s.sops.yaml",
    ]  # fmt: skip
    assert secret_by_hand(SecretRef(("sops:/s.sops.yaml#data.password",))).endswith("/s.sops.yaml | base64 -d")


def test_a_repository_is_opened_with_its_own_secrets_by_environment_and_without_a_lock() -> None:
    claim = replace(
        a_claim(), open_as="s3:https://store/b/notes", password=SecretRef(("env:PW",)),
        environment=(("AWS_ACCESS_KEY_ID", SecretRef(("env:KEY",))),), ca_file="/house/ca.pem",
    )  # fmt: skip
    assert restic_by_hand(claim, "snapshots") == (
        'RESTIC_PASSWORD="$(printenv PW)" AWS_ACCESS_KEY_ID="$(printenv KEY)"'
        " restic -r s3:https://store/b/notes --cacert /house/ca.pem --no-lock snapshots"
    )


def test_keys_of_the_record_are_written_and_taken_out() -> None:
    words = shlex.split(record_by_hand({"state.apps.notes": "released", "rd.apps.notes": None}))
    assert json.loads(words[-1]) == {"data": {"state.apps.notes": "released", "rd.apps.notes": None}}


def test_a_variable_of_the_shell_ends_up_in_the_json_that_is_sent() -> None:
    command = record_by_hand({"rd.apps.notes": "$PIN", "note": "it's $PIN"}).replace("kubectl -n", "printf %s\\\\n", 1)
    printed = subprocess.run(
        ["bash", "-c", f"PIN=2027-01-15T07:00:00Z && {command}"], capture_output=True, text=True, check=True, timeout=10
    ).stdout.splitlines()
    assert json.loads(printed[-1]) == {"data": {"rd.apps.notes": "2027-01-15T07:00:00Z", "note": "it's $PIN"}}
