"""Flux's controllers as the lab runs them: the real programs, each started by its own Deployment's pod."""

from __future__ import annotations

import sys

from lab.parts.pods.images import Controller, Place, client_environment
from lab.parts.programs import CHECKOUT, definitions
from lab.parts.supervisor import Program, Rank

_COMMON = (
    "--enable-leader-election=false",
    "--watch-all-namespaces=true",
    "--interval-jitter-percentage=0",
    "--metrics-addr=0",
    "--events-addr=",  # there is no notification-controller
    "--health-addr={address}:9440",
    "--log-encoding=json",
)
_READY = "http://{address}:9440/readyz"


def controllers(environment: tuple[tuple[str, str], ...] = ()) -> dict[str, Controller]:
    """Image name → controller. `environment` is added to each (such as SSL_CERT_FILE for the lab's authority)."""
    requeue = "--requeue-dependency=500ms"  # a house of five stages waits for four of them
    storage = "{address}:9090"
    return {
        "source-controller": Controller(
            "source-controller",
            (
                *_COMMON,
                requeue,
                "--storage-path={data}",
                f"--storage-addr={storage}",
                f"--storage-adv-addr={storage}",
            ),
            _READY,
            environment,
        ),
        "kustomize-controller": Controller(
            "kustomize-controller",
            # A pushed fix is taken up at once instead of after the failing health check's time-out.
            (*_COMMON, requeue, "--http-retry=2", "--feature-gates=CancelHealthCheckOnNewRevision=true"),
            _READY,
            environment,
        ),
        "helm-controller": Controller(
            "helm-controller",
            (*_COMMON, requeue, "--http-retry=2", "--graceful-shutdown-timeout=5s"),
            _READY,
            (*environment, ("HELM_CACHE_HOME", "{data}")),
        ),
    }


class Operator:
    """The stand-in for flux-operator: a process of the lab's own, started and ended with its pod like the real controllers."""

    def program(self, place: Place) -> Program:
        """The stand-in, told where the definitions of Flux's controllers lie."""
        files = [str(f) for name in controllers() for f in definitions(name)]
        argv = (sys.executable, "-m", "lab.parts.fluxoperator", *files)
        environment = {**client_environment(place, str(place.kubeconfig())), "PYTHONPATH": str(CHECKOUT)}
        return Program(place.name, argv, Rank.CLIENT, environment)

    def probe(self, place: Place) -> bool:
        """It serves as soon as it runs."""
        return True
