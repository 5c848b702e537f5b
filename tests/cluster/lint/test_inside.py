"""Rules about what only the cluster serves: DNS, Git, images, time, backups, and what a run asks for by a name of the gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.lint.finding import Weight
from house.model import FluxSource, ProxmoxAccess, ProxmoxEndpoint, SecretRef
from house.repository.talconfigs.machine import MachineSetting, Tells
from house.values.nas import Nas
from house.values.sources import BackupSource
from tests.builders import a_claim, a_house, a_release
from tests.cluster.lint.made import balancer, found, release, route

ELSEWHERE = "s3:https://s3.example.org/x"


def says(tells: Tells, value: str, of: str = "") -> dict[str, Any]:
    return {"machine": (MachineSetting(tells, value, "talos/patches/p.yaml:3", of),)}


def pulls(url: str) -> dict[str, Any]:
    return {"flux": replace(a_house().flux, url=url)}


def asks_proxmox(host: str) -> dict[str, Any]:
    access = a_house().proxmox
    return {"proxmox": ProxmoxAccess((ProxmoxEndpoint(f"https://{host}:8006", "AB"),), access.token_id, access.token_secret)}


def backed_up_to(place: str, **more: Any) -> dict[str, Any]:
    return {"claims": (a_claim("notes", open_as=place, mover_repository=place, **more),)}


TUNNEL = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: tunnel}
data:
  config.yaml: |
    ingress:
      - {hostname: registry.house.net, service: "https://gateway.kube-system.svc"}
      - {service: "http_status:404"}
"""
INGRESS_VALUES = "{ingress: {main: {enabled: true, hosts: [{host: git.house.net}]}}}"
NO_INGRESS = INGRESS_VALUES.replace("enabled: true", "enabled: false")
DEPLOYMENT = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {strategy: {type: Recreate}, template: {spec: {containers: [{image: "registry.house.net/me/web:1"}]}}}
"""
GATEWAY = """---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal}
spec: {addresses: [{value: 10.0.0.5}]}
"""
TRAEFIK = """---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: git}
spec: {routes: [{match: "Host(`git.house.net`) && PathPrefix(`/`)"}]}
"""
INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: git}
spec: {rules: [{host: git.house.net}]}
"""
POOL = """---
apiVersion: cilium.io/v2alpha1
kind: CiliumLoadBalancerIPPool
metadata: {name: pool}
spec: {blocks: [{cidr: 10.0.0.0/24}]}
"""
METALLB = """---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: pool}
spec: {addresses: [10.0.0.50-10.0.0.59]}
"""

PLANTED: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("a resolver that a Service answers", "dns-inside", balancer("adguard", "10.0.0.53", 53), says(Tells.NAMESERVER, "10.0.0.53"),
     "10.0.0.53"),
    ("a resolver in a pool for load balancers alone", "dns-inside", POOL.replace("10.0.0.0/24", "10.0.0.48/29"),
     says(Tells.NAMESERVER, "10.0.0.53"), "10.0.0.53"),
    ("a resolver in a range of such a pool", "dns-inside", METALLB, says(Tells.NAMESERVER, "10.0.0.53"), "10.0.0.53"),
    ("a resolver that is a node", "dns-inside", "", says(Tells.NAMESERVER, "127.10.0.11"), "127.10.0.11"),
    ("a resolver among the Services", "dns-inside", "", {"machine": (
        MachineSetting(Tells.SERVICES, "10.43.0.0/16", "talconfig.yaml:9"),
        MachineSetting(Tells.NAMESERVER, "10.43.0.10", "p.yaml:3"))}, "10.43.0.10"),
    ("k8s-gateway", "dns-inside", release("k8s-gateway", "k8s-gateway"), {}, "HelmRelease apps/k8s-gateway"),
    ("a Service with port 53", "dns-inside", balancer("dns", "10.0.0.53", 53), {}, "Service apps/dns"),
    ("a chart's Service with port 53", "dns-inside",
     release("blocky", "app-template", "{service: {dns: {type: LoadBalancer, ports: {dns: {port: 53}}}}}"), {},
     "HelmRelease apps/blocky"),
    ("pihole", "dns-inside", release("pihole", "pihole", "{serviceDns: {type: LoadBalancer}}"), {}, "HelmRelease apps/pihole"),
    ("spegel by Flux", "mirror-inside", release("spegel", "spegel"), {}, "HelmRelease apps/spegel"),
    ("spegel by the helmfile", "mirror-inside", "", {"releases": (a_release("kube-system", "spegel"),)},
     "release kube-system/spegel of the helmfile"),
    ("a mirror on a Service", "mirror-inside", balancer("zot", "10.0.0.50"), says(Tells.MIRROR, "http://10.0.0.50:5000", "quay.io"),
     "http://10.0.0.50:5000"),
    ("a mirror on each node", "mirror-inside", "", says(Tells.MIRROR, "http://127.0.0.1:29999", "docker.io"), "http://127.0.0.1:29999"),
    ("a mirror on a node's port", "mirror-inside", "", says(Tells.ONLY_MIRROR, "http://127.10.0.12:30500", "docker.io"),
     "http://127.10.0.12:30500"),
    ("Git by an Ingress", "git-inside", INGRESS, pulls("https://git.house.net/x.git"), "https://git.house.net/x.git"),
    ("Git by an IngressRoute", "git-inside", TRAEFIK, pulls("ssh://git@git.house.net:2222/me/home-ops"),
     "ssh://git@git.house.net:2222/me/home-ops"),
    ("Git by a chart's values", "git-inside", release("forgejo", "forgejo", INGRESS_VALUES), pulls("https://git.house.net/x"),
     "https://git.house.net/x"),
    ("Git by a Service's own name", "git-inside", "", pulls("http://forgejo-http.git.svc.cluster.local:3000/me/x.git"),
     "http://forgejo-http.git.svc.cluster.local:3000/me/x.git"),
    ("Git by a Service and its namespace", "git-inside", balancer("forgejo", "10.0.0.9"), pulls("http://forgejo.apps:3000/x"),
     "http://forgejo.apps:3000/x"),
    ("Git by an address", "git-inside", balancer("forgejo", "10.0.0.9"), pulls("https://10.0.0.9/x"), "https://10.0.0.9/x"),
    ("time by a gateway's address", "time-inside", GATEWAY, says(Tells.TIME, "10.0.0.5"), "10.0.0.5"),
    ("a bucket by its Service", "backups-inside", "", backed_up_to("s3:http://minio.storage.svc:9000/x"), "claim apps/notes"),
    ("a bucket by a name of one word", "backups-inside", "", backed_up_to("s3:http://minio:9000/restic/notes"), "claim apps/notes"),
    ("a REST server by a route", "backups-inside", route("rest", "rest.house.net"),
     backed_up_to("rest:https://rest.house.net/notes"), "claim apps/notes"),
    ("an image behind the tunnel", "images-inside", TUNNEL + DEPLOYMENT, {}, "registry registry.house.net"),
    ("an image of a route", "images-inside", route("harbor", "registry.house.net") + DEPLOYMENT, {}, "registry registry.house.net"),
    ("charts of a route", "images-inside", route("harbor", "registry.house.net") + """---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: mine}
spec: {url: "oci://registry.house.net/charts/mine"}
""", {}, "registry registry.house.net"),
    ("Proxmox by a route", "reached-through-the-cluster", route("pve", "pve.house.net", "TLSRoute"), asks_proxmox("pve.house.net"),
     "Proxmox at pve.house.net"),
    ("a NAS by a route", "reached-through-the-cluster", route("nas", "nas.house.net"),
     {"nas": (Nas("nas", "nas.house.net", 443, "AB", "", "me", SecretRef(("file:key",))),)}, "NAS nas at nas.house.net"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "changes", "subject"), [one[1:] for one in PLANTED], ids=[one[0] for one in PLANTED])
def test_what_the_cluster_serves_is_found(rule: str, text: str, changes: dict[str, Any], subject: str) -> None:
    findings = found(rule, text, **changes)
    assert [(one.subject, one.weight) for one in findings] == [(subject, Weight.PARADOX)]
    assert all(one.what and one.why and one.todo for one in findings)


NEAR: list[tuple[str, str, str, dict[str, Any]]] = [
    ("the router in a pool", "dns-inside", POOL, says(Tells.NAMESERVER, "10.0.0.1")),
    ("a resolver beside a pool", "dns-inside", METALLB, says(Tells.NAMESERVER, "10.0.0.60")),
    ("a pool that is none", "dns-inside", METALLB.replace("10.0.0.59", "fd00::1"), says(Tells.NAMESERVER, "10.0.0.53")),
    ("a Service on another address", "dns-inside", balancer("web", "10.0.0.54"), says(Tells.NAMESERVER, "10.0.0.53")),
    ("DNS for Pods alone", "dns-inside", balancer("kube-dns", "10.43.0.10", 53, "ClusterIP"), {}),
    ("k8s-gateway for Pods alone", "dns-inside", release("k8s-gateway", "k8s-gateway", "{service: {type: ClusterIP}}"), {}),
    ("a port 53 that is off", "dns-inside",
     release("x", "app-template", "{service: {dns: {enabled: false, type: LoadBalancer, port: 53}}}"), {}),
    ("an application that is called spegel", "mirror-inside", release("spegel", "app-template"), {}),
    ("a mirror on the NAS", "mirror-inside", balancer("zot", "10.0.0.50"), says(Tells.MIRROR, "http://10.0.0.51:5000", "quay.io")),
    ("forgejo beside GitHub", "git-inside", release("forgejo", "forgejo", INGRESS_VALUES), pulls("https://github.com/me/home-ops")),
    ("an Ingress that is off", "git-inside", release("forgejo", "forgejo", NO_INGRESS), pulls("https://git.house.net/x")),
    ("a name that ends alike", "git-inside", INGRESS, pulls("https://my-git.house.net/x")),
    ("a tunnel for everything", "git-inside", route("all", "${NAME}.${DOMAIN}"), pulls("https://github.com/me/home-ops")),
    ("a route for a whole domain, elsewhere", "git-inside", route("all", "*.house.net"), pulls("https://git.example.org/x")),
    ("time from outside", "time-inside", GATEWAY, says(Tells.TIME, "10.0.0.1")),
    ("one more place outside", "backups-inside", "", backed_up_to("s3:http://minio.storage.svc:9000/x", others=(
        BackupSource("two", "two", ELSEWHERE, ELSEWHERE, SecretRef(()), (), "", "x:1"),))),
    ("a bucket outside", "backups-inside", balancer("minio", "10.0.0.9"), backed_up_to("s3:https://10.0.0.30:9000/x")),
    ("an image from elsewhere", "images-inside", TUNNEL + DEPLOYMENT.replace("registry.house.net", "ghcr.io"), {}),
    ("a registry that nobody pulls from", "images-inside", route("harbor", "registry.house.net"), {}),
    ("Proxmox by its address", "reached-through-the-cluster", route("pve", "pve.house.net"), asks_proxmox("10.0.0.11")),
    ("Proxmox by another name", "reached-through-the-cluster", route("pve", "pve.house.net"), asks_proxmox("pve.lan")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "changes"), [one[1:] for one in NEAR], ids=[one[0] for one in NEAR])
def test_what_is_near_it_is_not(rule: str, text: str, changes: dict[str, Any]) -> None:
    assert found(rule, text, **changes) == []


@pytest.mark.parametrize(
    ("rule", "text", "changes"),
    [
        ("git-inside", route("git", "git.${DOMAIN}"), pulls("https://git.house.net/x")),
        ("git-inside", route("all", "*.house.net"), pulls("https://git.house.net/x")),
        ("reached-through-the-cluster", route("pve", "pve.${DOMAIN}", "TLSRoute"), asks_proxmox("pve.house.net")),
        ("images-inside", TUNNEL.replace("registry.house.net", "'*.house.net'") + DEPLOYMENT, {}),
    ],
)
def test_what_only_may_be_inside_is_said_to_be_no_more(rule: str, text: str, changes: dict[str, Any]) -> None:
    (one,) = found(rule, text, **changes)
    assert one.weight is Weight.UNKNOWN
    assert "may" in one.what


def test_a_name_that_no_house_can_have_is_nobodys() -> None:
    assert found("git-inside", route("git", "git.${DOMAIN}"), **pulls("https://git.house.invalid/x")) == []


def test_a_source_of_flux_says_where_it_is_written() -> None:
    text = """---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {url: "http://10.0.0.9/x"}
"""
    changes = {"flux": FluxSource("flux-system", "flux-system", "http://10.0.0.9/x", "main", "")}
    (one,) = found("git-inside", text + balancer("forgejo", "10.0.0.9"), **changes)
    assert one.declared_in == "all.yaml:2"


NAS = {"nas": (Nas("nas", "nas", 443, "AB", "", "me", SecretRef(("file:key",))),)}


@pytest.mark.parametrize(
    "more",
    [
        backed_up_to("s3:https://${S3_ENDPOINT}/notes"), backed_up_to("s3:https://${S3_ENDPOINT}:9000/notes"),
        backed_up_to("sftp:b@${NAS}:/notes"), backed_up_to("rest:http://${NAS}:8000/notes"),
        backed_up_to("sftp:b@nas:/notes") | NAS,
    ],
)  # fmt: skip
def test_a_store_in_a_variable_or_on_a_nas_of_one_word_is_no_service(more: dict[str, Any]) -> None:
    assert found("backups-inside", **more) == []


AT_HOME = "---\napiVersion: v1\nkind: Service\nmetadata: {name: gitea, namespace: home}\nspec: {}\n"


def test_a_namespace_called_like_the_homes_own_domain_makes_nobody_a_service() -> None:
    (one,) = found("reached-through-the-cluster", AT_HOME, **asks_proxmox("pve.home"))
    assert (one.weight, "which may lead through a Service of the cluster" in one.what) == (Weight.UNKNOWN, True)
    (one,) = found("git-inside", AT_HOME, **pulls("https://gitea.home/a.git"))
    assert (one.weight, "may serve (in namespace home)" in one.what) == (Weight.UNKNOWN, True)
    (one,) = found("git-inside", AT_HOME, **pulls("https://gitea.home.svc.cluster.local/a.git"))
    assert one.weight is Weight.PARADOX
    (one,) = found("git-inside", AT_HOME.replace("home", "tools"), **pulls("https://gitea.tools/a.git"))
    assert one.weight is Weight.PARADOX
    assert found("git-inside", AT_HOME, **pulls("https://gitea.my.home/a.git")) == []
