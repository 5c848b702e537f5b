"""actions-runner-controller: GitHub's runners.

Each set of them needs its listener, which the controller makes once GitHub knows the set.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.results import Ask
from cluster.components.judging import fewer_than_declared
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight, fine

_GROUP, _VERSIONS = "actions.github.com", ("v1alpha1",)
RUNNER_SET = Ask(_GROUP, "autoscalingrunnersets", "AutoscalingRunnerSet", ("spec.githubConfigUrl",), _VERSIONS)
_OF = ("spec.autoscalingRunnerSetName", "spec.autoscalingRunnerSetNamespace")
LISTENER = Ask(_GROUP, "autoscalinglisteners", "AutoscalingListener", _OF, _VERSIONS)
RUNNER = Ask(_GROUP, "ephemeralrunners", "EphemeralRunner", ("status.phase", "status.reason", "status.message"), _VERSIONS)
_GET = "kubectl get autoscalingrunnersets,autoscalinglisteners,ephemeralrunners -A"


def _runners(facts: Facts) -> Iterator[Finding]:
    listened = {(one.says(_OF[1]), one.says(_OF[0])) for one in facts.of(LISTENER)}
    found = facts.of(RUNNER_SET)
    for one in found:
        part = f"{one.kind} {one.key}"
        if (one.namespace, one.name) in listened:
            yield fine(part, "has its listener")
        else:
            hint = "GitHub knows no runner of it, so no job of its begins: look at its credentials and at the controller's log"
            yield Finding(part, Weight.BLOCKS, "has no listener", hint=hint, command=_GET)
    for runner in facts.of(RUNNER):
        if runner.says("status.phase") == "Failed":
            told = ": ".join(filter(None, ("has failed", runner.says("status.reason"), runner.says("status.message"))))
            hint = "it is not tried again by itself, and keeps its place: delete it"
            yield Finding(f"{runner.kind} {runner.key}", Weight.BLOCKS, told, hint=hint, command=_GET)
    yield from fewer_than_declared(facts, RUNNER_SET, _GET)


ACTIONS_RUNNERS = Component(
    key="actions-runner-controller",
    title="actions-runner-controller",
    images=("gha-runner-scale-set-controller", "actions-runner-controller"),
    charts=("gha-runner-scale-set-controller", "actions-runner-controller"),
    means="no job of GitHub Actions finds a runner of the house",
    aspects=(Aspect("runners", "each set of runners has its listener", (RUNNER_SET, LISTENER, RUNNER), _runners, _GET),),
)
