"""The dead man's switch: whether anybody outside would miss a cluster that is silent."""

from __future__ import annotations

import pytest

from cluster.lint.finding import Weight
from tests.cluster.lint.made import found, release

STACK = release("stack", "kube-prometheus-stack", "{alertmanager: {enabled: true}}")


def config(receiver: str, matchers: str = "[{name: alertname, value: Watchdog}]") -> str:
    return f"""---
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {{name: main}}
spec:
  route: {{receiver: chat, routes: [{{receiver: beat, matchers: {matchers}}}]}}
  receivers: [{{name: chat, pushoverConfigs: [{{html: true}}]}}, {{name: beat{receiver}}}]
"""


def of_values(url: str) -> str:
    routes = "[{receiver: beat, matchers: ['alertname = \"Watchdog\"']}]"
    receivers = f"[{{name: beat, webhook_configs: [{{url: '{url}'}}]}}]"
    told = f"{{route: {{receiver: x, routes: {routes}}}, receivers: {receivers}}}"
    return release("stack", "kube-prometheus-stack", f"{{alertmanager: {{config: {told}}}}}")


SILENT = [
    ("nobody is told", STACK, "watches from inside"),
    ("a receiver that sends nothing", STACK + config(""), "sends nothing"),
    ("a webhook in the cluster", STACK + config(", webhookConfigs: [{url: 'http://relay.apps.svc/hook'}]"), "the cluster itself"),
    ("a message to a person", STACK + config(", pushoverConfigs: [{html: true}]"), "no Watchdog"),
    ("no branch for it", STACK + config(", webhookConfigs: [{url: 'https://x.example.org/x'}]", "[{name: a, value: Other}]"),
     "no Watchdog"),
    ("a webhook by a name of one word", STACK + config(", webhookConfigs: [{url: 'http://relay:8080/x'}]"), "the cluster itself"),
    ("in the chart's values", of_values("http://relay.apps.svc/hook"), "the cluster itself"),
    ("a watcher of plain manifests", """---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: kuma}
spec: {template: {spec: {containers: [{image: "docker.io/louislam/uptime-kuma:1"}]}}}
""", "nothing outside would miss it"),
    ("a pager, which nobody calls in vain", release(
        "stack", "kube-prometheus-stack", "{alertmanager: {config: {global: {pagerduty_url: 'https://events.pagerduty.com/v2'}}}}"),
     "no Watchdog"),
    ("a link to a page of a service that could", STACK + release("home", "app-template", "{a: 'https://stats.uptimerobot.com/x'}"),
     "watches from inside"),
    ("a domain that only ends like one", STACK + release("home", "app-template", "{a: 'https://not-hc-ping.com/x'}"),
     "watches from inside"),
    ("gatus alone", release("gatus", "app-template", "{controllers: {gatus: {}}}"), "nothing outside would miss it"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [one[1:] for one in SILENT], ids=[one[0] for one in SILENT])
def test_a_cluster_whose_silence_nobody_hears(text: str, told: str) -> None:
    (one,) = found("dead-man-inside", text)
    assert (one.weight, told in one.what) == (Weight.PARADOX, True)


PING = """---
apiVersion: batch/v1
kind: CronJob
metadata: {name: beat}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: "curl:1", args: ["https://hc-ping.com/0123"]}]}}}}}
"""
HEARD = [
    ("no monitoring at all", release("web", "app-template")),
    ("a webhook outside", STACK + config(", webhookConfigs: [{url: 'https://hc.example.org/x'}]")),
    ("a webhook outside, its key in a variable", STACK + config(", webhookConfigs: [{url: 'https://hc-ping.com/${KEY}'}]")),
    ("a webhook outside, in values", of_values("https://hc.example.org/x")),
    ("a job that calls", STACK + PING),
    ("a job that calls from a shell", STACK + PING.replace('"https://hc-ping.com/0123"', '"curl -fsS \'https://hc-ping.com/0123\'"')),
    ("a heartbeat", STACK + PING.replace("hc-ping.com/0123", "api.opsgenie.com/v2/heartbeats/oak/ping")),
    ("a heartbeat of another", STACK + PING.replace("hc-ping.com", "heartbeat.uptimerobot.com")),
    ("no Alertmanager", release("stack", "kube-prometheus-stack", "{alertmanager: {enabled: false}}")),
    ("an application of the name", release("prometheus-web", "app-template")),
]  # fmt: skip


@pytest.mark.parametrize("text", [one[1] for one in HEARD], ids=[one[0] for one in HEARD])
def test_a_cluster_that_somebody_would_miss(text: str) -> None:
    assert found("dead-man-inside", text) == []


def test_metrics_that_are_written_elsewhere_are_no_verdict() -> None:
    stack = release("stack", "kube-prometheus-stack", "{prometheus: {prometheusSpec: {remoteWrite: [{url: 'https://URL/push'}]}}}")
    (one,) = found("dead-man-inside", stack.replace("URL", "metrics.example.org"))
    assert one.weight is Weight.UNKNOWN
    for name in ("mimir.apps.svc", "mimir:9009"):
        (one,) = found("dead-man-inside", stack.replace("URL", name))
        assert one.weight is Weight.PARADOX, name


def test_what_a_secret_holds_is_no_verdict() -> None:
    (one,) = found("dead-man-inside", STACK + config(", webhookConfigs: [{urlSecret: {name: a, key: b}}]"))
    assert one.weight is Weight.NOTE
    (one,) = found("dead-man-inside", STACK + config(", webhookConfigs: [{url: '${HEARTBEAT_URL}'}]"))
    assert (one.weight, "an address that Git does not show" in one.what) == (Weight.NOTE, True)
    hidden = release("stack", "kube-prometheus-stack", "{alertmanager: {alertmanagerSpec: {configSecret: mine}}}")
    (one,) = found("dead-man-inside", hidden)
    assert one.weight is Weight.UNKNOWN


def test_of_several_configurations_the_one_that_tells_most_people_counts() -> None:
    silent, hidden = config(", pushoverConfigs: [{html: true}]"), config(", webhookConfigs: [{urlSecret: {name: a, key: b}}]")
    for configs in (silent + hidden, hidden + silent):
        (one,) = found("dead-man-inside", STACK + configs)
        assert one.weight is Weight.NOTE
