"""With the commands of the README's "Get rid of Blackstart" nothing of ours is left in a house, and it lives on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl
from tests.lab.built.shell import typed
from tools.places import CHECKOUT

pytestmark = [pytest.mark.programs, pytest.mark.houses]
# Kinds in which something of ours may stand; none of it may, once the README's commands were typed.
OF_OURS = (
    "namespaces", "leases", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings", "clusterroles",
    "clusterrolebindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings", "deployments",
    "kustomizations.kustomize.toolkit.fluxcd.io", "replicationdestinations", "replicationsources", "persistentvolumeclaims",
)  # fmt: skip


def readme_commands() -> list[str]:
    """The lines of the README's "Get rid of Blackstart", without their comments, in their order."""
    section = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("## Get rid of Blackstart")[2].partition("\n## ")[0]
    block = section.partition("```sh\n")[2].partition("```")[0]
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def again(bench: Bench, line: str) -> bool:
    """Whether a line that may be refused at first was taken."""
    try:
        typed(bench, line)
    except subprocess.CalledProcessError as error:
        assert "denied request" in error.stderr, error.stderr
        return False
    return True


def marks(thing: dict[str, Any]) -> Iterator[str]:
    """What of ours an object bears: its name, a label, an annotation."""
    meta, shown = thing["metadata"], f"{thing['kind']} {thing['metadata']['name']}"
    if meta["name"].startswith("blackstart") or meta.get("namespace") == "blackstart":
        yield shown
    for key, value in {**meta.get("labels", {}), **meta.get("annotations", {})}.items():
        if "blackstart" in key or value == "blackstart":
            yield f"{shown}: {key}"


def test_with_the_readmes_commands_nothing_of_ours_is_left_and_the_house_lives_on(bench: Bench) -> None:
    """Last in this folder: afterwards nothing holds the claim any more. What a broken-off restore leaves is put there first."""
    bindings, namespace, roles, unpin, suspended, resume, scaled, scale, asked, schedule = readme_commands()
    where, what = "selfhosted", "notes"
    kubectl(bench, "patch", "replicationdestination", f"{what}-bootstrap", "-n", where, "--type=merge",
            "-p", '{"spec":{"restic":{"restoreAsOf":"2026-01-01T00:00:00Z"}}}')  # fmt: skip
    kubectl(bench, "patch", "kustomization.kustomize.toolkit.fluxcd.io", what, "-n", where, "--type=merge",
            "-p", '{"metadata":{"annotations":{"blackstart/suspended":"x"}},"spec":{"suspend":true}}')  # fmt: skip
    kubectl(bench, "patch", "replicationsource", what, "-n", where, "--type=merge", "--field-manager=blackstart",
            "-p", '{"spec":{"trigger":{"manual":"blackstart-1"}}}')  # fmt: skip
    # As we write it: what kubectl writes under its own name, Flux takes away as soon as it goes on.
    kubectl(bench, "annotate", "deployment", what, "-n", where, "blackstart/replicas=1", "--field-manager=blackstart")
    kubectl(bench, "scale", "deployment", what, "-n", where, "--replicas=0")

    typed(bench, bindings)
    deadline = time.monotonic() + 90
    while not again(bench, namespace):  # as the README says: refused until the API servers have learnt of the line before
        assert time.monotonic() < deadline, "the namespace stays refused"
        time.sleep(0.5)
    typed(bench, roles)
    typed(bench, unpin.replace("NAMESPACE", where).replace("NAME", f"{what}-bootstrap"))
    marked = [line.split() for line in typed(bench, suspended).splitlines()[1:] if line.split()[2] != "<none>"]
    assert [line[:2] for line in marked] == [[where, what]]
    typed(bench, resume.replace("NAMESPACE", where).replace("NAME", what))
    marked = [line.split() for line in typed(bench, scaled).splitlines()[1:] if line.split()[3] != "<none>"]
    assert marked == [["Deployment", where, what, "1"]]
    typed(bench, scale.replace("NAMESPACE", where).replace("NAME", what).replace("REPLICAS", "1"))
    assert [line.split()[:3] for line in typed(bench, asked).splitlines()[1:]] == [[where, what, "blackstart-1"]]
    typed(bench, schedule.replace("NAMESPACE", where).replace("NAME", what))
    (source,) = json.loads(kubectl(bench, "get", "replicationsource", "-A", "-o", "json"))["items"]
    assert list(source["spec"]["trigger"]) == ["schedule"]

    everything = json.loads(kubectl(bench, "get", ",".join(OF_OURS), "-A", "-o", "json"))["items"]
    assert [mark for thing in everything for mark in marks(thing)] == ["Secret sops-age: app.kubernetes.io/managed-by"]
    kubectl(bench, "wait", f"pvc/{what}", "-n", where, "--for=jsonpath={.status.phase}=Bound", "--timeout=90s")
    kubectl(bench, "wait", f"deployment/{what}", "-n", where, "--for=condition=Available", "--timeout=60s")
