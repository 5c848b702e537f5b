"""Alerts that are sent from inside, with nobody outside who would miss them: a cluster that is dark is silent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given, texts_of
from cluster.lint.needs import host_of
from cluster.lint.pods import containers
from cluster.lint.programs import Program
from house.files.shapes import mapping, sequence

NAME = "dead-man-inside"
_STACKS = ("kube-prometheus-stack", "alertmanager", "victoria-metrics-k8s-stack", "victoria-metrics-alert", "prometheus")
_WATCHERS = ("gatus", "uptime-kuma", "healthchecks")
_GROUPS = ("monitoring.coreos.com", "operator.victoriametrics.com")
_PINGED = re.compile(
    r"https?://(?:[\w-]+\.)*(?:"
    r"hc-ping\.com|healthchecks\.io|nosnch\.in|deadmanssnitch\.com|cronitor\.(?:link|io)|heartbeat\.uptimerobot\.com|ping\.ohdear\.app"
    r"|(?:betterstack|betteruptime|opsgenie)\.com/\S*heartbeats?"
    r")/"
)
"""URLs of services that call somebody when they are *not* called; what else the same services do is no such thing."""

_STATES = ("none", "nowhere", "inside", "hidden", "outside")
"""Where a Watchdog may go; of several the last counts."""


def _find(given: Given) -> Iterator[Finding]:
    senders = [p for p in given.programs if p.chart in _STACKS and _has_alertmanager(p)]
    watchers = [(p.told, p.declared_in) for p in given.programs if p.chart in _WATCHERS or (p.app_template and p.name in _WATCHERS)]
    watchers += [(c.owner, c.declared_in) for c in containers(given) if _base(c.image) in _WATCHERS]
    configs = [(f"{o.kind} {o.namespace}/{o.name}", o.declared_in, o.spec) for o in given.rendered.objects
               if o.group in _GROUPS and o.kind in ("AlertmanagerConfig", "VMAlertmanagerConfig")]  # fmt: skip
    configs += [(p.told, p.declared_in, mapping(found)) for p in senders if mapping(found := _own_config(p))]
    if not (senders or watchers or configs) or _pinged(given):
        return
    states = [(_state(given, config), told, where) for told, where, config in configs]
    state, told, where = max(states, key=lambda one: _STATES.index(one[0]), default=("", "", ""))
    if state == "outside":
        return
    if not state:
        told, where = next(iter((*((p.told, p.declared_in) for p in senders), *watchers)))
    written = [url for sender in senders for url in _written_to(sender) if not given.inside.answers(url)]
    if state in ("", "none") and written:
        yield Finding(
            NAME, Weight.UNKNOWN, told.partition(" ")[2] or told,
            f"{told} writes its metrics to {host_of(written[0])}: whether anybody there misses them is not in Git", where,
            "a cluster that is dark sends no alert: only an alert there on what no longer comes would tell you",
            "have an alert there on absent metrics; or route the alert Watchdog to a service that misses it",
        )  # fmt: skip
        return
    hidden = state == "hidden" or (bool(senders) and not configs and any(_may_be_hidden(p) for p in senders))
    whys = {
        "hidden": f"{told} sends its Watchdog to an address that Git does not show",
        "nowhere": f"{told} routes its Watchdog to a receiver that sends nothing",
        "inside": f"{told} sends its Watchdog to the cluster itself",
        "": f"{told} watches from inside the cluster" + (
            ", and where its Alertmanager sends the Watchdog Git does not show" if hidden else ", and nothing outside would miss it"
        ),
        "none": f"{told} sends alerts, and no Watchdog to anybody who would miss it",
    }  # fmt: skip
    weight = Weight.NOTE if state == "hidden" else Weight.UNKNOWN if hidden else Weight.PARADOX
    yield Finding(
        NAME, weight, told.partition(" ")[2] or told, whys[state], where,
        "a cluster that is dark sends no alert: the first to tell you is whoever misses an application, or a backup",
        "route the alert Watchdog to a service outside that calls you when it is no longer called (a `heartbeat` receiver with a "
        "webhook URL), or have another machine watch the API server"
        if state != "hidden" else "know where that is: an address in the cluster would be no help",
    )  # fmt: skip


def _base(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _written_to(program: Program) -> list[str]:
    """Where Prometheus writes what it measures, by the values of its stack."""
    paths = (("prometheus", "prometheusSpec", "remoteWrite"), ("vmagent", "spec", "remoteWrite"))
    rows = [row for path in paths for row in sequence(program.at(*path))]
    return [str(mapping(row).get("url")) for row in rows if host_of(str(mapping(row).get("url") or ""))]


def _has_alertmanager(program: Program) -> bool:
    return mapping(program.at("alertmanager")).get("enabled") is not False


def _own_config(program: Program) -> Any:
    return program.at("config") if program.chart == "alertmanager" else program.at("alertmanager", "config")


def _may_be_hidden(program: Program) -> bool:
    """Whether the Alertmanager's configuration may be in a Secret or in values that Git does not show."""
    spec = mapping(program.at("alertmanager", "alertmanagerSpec") or program.at("alertmanager", "spec"))
    return bool(program.unseen) or bool(spec.get("configSecret")) or program.at("alertmanager", "useManagedConfig") is True


def _pinged(given: Given) -> bool:
    """Whether anything of the house calls a service that misses it: a job, a container, values of a chart."""
    words = [text for one in containers(given) for text in one.words]
    words += [text for program in given.programs for text in texts_of(program.values)]
    return any(map(_PINGED.search, words))


def _state(given: Given, config: dict[str, Any]) -> str:
    """Where the Watchdog of this configuration goes: outside, inside, nowhere, to a hidden address; "none" where none is routed."""
    receivers = {str(one.get("name")): one for one in map(mapping, sequence(config.get("receivers")))}
    named = _watchdog(mapping(config.get("route")))
    if named is None:
        return "none"
    receiver = receivers.get(named, {})
    hooks = [mapping(item) for key, items in receiver.items() if key != "name" for item in sequence(items)]
    urls = [hook.get(key) for hook in hooks for key in ("url", "urlSecret", "url_file", "url_secret") if hook.get(key)]
    if not hooks:
        return "nowhere"
    if not urls:
        return "none"  # a message to a person: nobody misses one more that does not come
    texts = [str(url) for url in urls if isinstance(url, str) and not url.startswith("/")]
    if any(host_of(text) and not given.inside.answers(text) for text in texts):
        return "outside"
    return "inside" if texts and all(map(host_of, texts)) else "hidden"


def _watchdog(route: dict[str, Any]) -> str | None:
    """The receiver of the first branch that names the alert Watchdog; None where no branch does."""
    for branch in map(mapping, sequence(route.get("routes"))):
        if any("Watchdog" in text for text in texts_of([branch.get(key) for key in ("matchers", "match", "match_re", "matchRe")])):
            return str(branch.get("receiver") or route.get("receiver") or "")
        found = _watchdog(branch)
        if found is not None:
            return found
    return None


RULE = Rule(NAME, "Who notices when the cluster is silent?", _find)
