"""Movers that their own namespace refuses, by what Git says of both."""

from __future__ import annotations

import pytest

from house.data.pod_security import refused_movers
from house.flux.rendered import Rendered
from tests.cluster.lint.made import found, objects_of

NAMESPACE = """---
apiVersion: v1
kind: Namespace
metadata: {name: media, labels: {LABELS}, annotations: {ANNOTATIONS}}
"""
MOVER = """---
apiVersion: volsync.backube/v1alpha1
kind: KIND
metadata: {name: app, namespace: media}
spec: {restic: {repository: s, moverSecurityContext: {SECURITY}}}
"""
RESTRICTED, MARKED = "pod-security.kubernetes.io/enforce: restricted", 'volsync.backube/privileged-movers: "true"'
GOOD = "runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}"


def text(labels: str = RESTRICTED, annotations: str = "", security: str = "", kind: str = "ReplicationDestination") -> str:
    space = NAMESPACE.replace("LABELS", labels).replace("ANNOTATIONS", annotations)
    return space + MOVER.replace("KIND", kind).replace("SECURITY", security)


def told(text_: str) -> list[str]:
    return [one.why for one in refused_movers(Rendered(tuple(objects_of(text_))))]


@pytest.mark.parametrize("kind", ["ReplicationDestination", "ReplicationSource"])
@pytest.mark.parametrize(
    ("security", "annotations", "lacks"),
    [
        ("", "", "lacks runAsNonRoot: true, a seccompProfile"), (GOOD.replace("true", "false"), "", "lacks runAsNonRoot: true"),
        (GOOD.replace("1000", "0"), "", "lacks a runAsUser other than 0"),
        (GOOD.replace("RuntimeDefault", "Unconfined"), "", "a seccompProfile"),
        (GOOD, MARKED, "marks its movers as privileged"),
    ],
)  # fmt: skip
def test_a_mover_that_its_namespace_refuses_is_named(kind: str, security: str, annotations: str, lacks: str) -> None:
    (why,) = told(text(security=security, annotations=annotations, kind=kind))
    assert why.startswith("Namespace media enforces restricted") and lacks in why


@pytest.mark.parametrize("refused", [
    text(security=GOOD), text(labels="", annotations=MARKED),
    text(labels=RESTRICTED.replace("restricted", "baseline"), annotations=MARKED),
    text(labels=RESTRICTED.replace("enforce", "warn")), text().replace("name: media", "name: other"),
    text(security=GOOD.replace("runAsUser: 1000, ", "")), text().replace("restic:", "rclone:"),
])  # fmt: skip
def test_a_mover_that_is_let_in_is_not(refused: str) -> None:
    assert told(refused) == []


def test_the_lint_tells_it_with_a_patch_that_is_let_in() -> None:
    (one,) = found("mover-refused", text())
    assert one.subject == "ReplicationDestination media/app"
    assert "runAsNonRoot: true" in one.patch and "type: RuntimeDefault" in one.patch

