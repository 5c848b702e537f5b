"""From bare hosts to a cluster that Flux runs: every check and step, in the order a person would tell it."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap import checks
from bootstrap.needs import BEFORE_ANYTHING
from bootstrap.steps import (
    apply_config,
    bootstrap_etcd,
    create_namespace,
    create_vm,
    fetch_image,
    fetch_kubeconfig,
    grow_disk,
    install_crds,
    put_certificates,
    put_secret,
    reconcile_flux,
    render_configs,
    start_vm,
    sync_release,
)
from cluster.backups import backup_check
from cluster.course import Course
from cluster.hold import held_check
from cluster.steps import declare_held, install_hold, lift_reservation, start_nas
from cluster.storage.nas.starting import may_start, to_start
from house.model import House


def course(house: House, known: Mapping[str, str]) -> Course:
    """The checks, then the steps; `known` maps claim keys to the repository ids of the lock file."""
    nas = to_start(house, house.claims, mounts=True)
    return Course(
        checks=(
            checks.privileges.check(house),        # Proxmox answers, and the token may do what the steps will ask
            checks.quorum.check(house),            # a majority of its hosts is there
            *checks.host.checks(house),            # each host is online; one that is not stops what is its own, and no more
            *checks.metal.checks(house),           # each machine that is no VM is on: a person switches it
            *checks.clocks.checks(house),          # and agrees with this machine on the time
            *checks.room.checks(house),            # it has the memory, its storages the space and content types
            *checks.kept_disks.checks(house),      # no disk to be kept lies there without its VM
            *checks.image.checks(house),           # the image can be had, and somebody vouches for it
            checks.keys.check(house),              # the age key is the one .sops.yaml names, and opens the secrets bundle
            checks.machineconfigs.check(house),    # talhelper makes a machineconfig for every node, and Talos takes it
            checks.versions.check(house),          # Proxmox, Talos, Kubernetes and talosctl go together
            checks.strangers.check(house),         # no node already answers for another cluster
            checks.clone.check(house),             # what is here is what Flux will pull
            checks.engines.check(house),           # no backup is declared that could not be held
            *checks.snapshot_classes.checks(house),  # and none names a snapshot class that nothing makes
            *checks.helm_plugins.checks(house), *checks.charts.checks(house),  # no chart or plugin of helm's is missing
            *checks.definitions.checks(house),     # nor are the definitions that the settings name
            *checks.kinds.checks(house),           # and no kind is applied that nothing serves by then
            *may_start(house, nas),                # a NAS that is a VM: the token may start it
            *checks.room.boxes(house, nas),        # and its host has memory for it, where no row above has counted that
            *backup_check.checks(house, house.claims, known),  # every required backup opens; else its claim stays held
            *checks.databases.checks(house),       # archives of databases, and whether each comes back from its own
            checks.machines.check(house),          # of VMs that are there: a rebuild would give them what they have
            *checks.node_clocks.checks(house),     # later: the nodes' clocks agree too
            *checks.node_versions.checks(house),   # later: each runs the Talos that it should
            checks.api_servers.check(house),       # later: every control plane's API server answers
            checks.nodes.check(house),             # later: every node has joined and is ready
            checks.suspensions.check(house),       # at the end: nothing is suspended that Git does not suspend
            checks.schedules.check(house),         # at the end: no backup's schedule is kept off
            checks.destinations.check(house),      # and none is restored from elsewhere than Git says
            held_check.HeldClaims(("flux.reconcile",)),  # at the end: what is held
            checks.old_holds.OldHolds(),           # and what has been for too long
        ),
        steps=(
            *lift_reservation.steps(house, () if nas else (BEFORE_ANYTHING,)),  # what a dead run left; another machine's by consent
            *start_nas.steps(house, nas),          # the VM of a NAS that something lies on, before what lies there is looked at
            *fetch_image.steps(house),             # Talos image on every host
            *create_vm.steps(house),               # one VM per node, made or adopted by its token
            *grow_disk.steps(house),               # an import has its image's size
            *start_vm.steps(house),
            *render_configs.steps(house),          # talhelper, into the state folder
            *apply_config.steps(house),            # to nodes in maintenance
            *bootstrap_etcd.steps(house),          # once, on one fixed node, only if nobody has data
            *fetch_kubeconfig.steps(house),
            *create_namespace.steps(house),
            *put_secret.steps(house),              # the age key, the deploy key, what the settings name
            *put_certificates.steps(house),        # TLS Secrets that were kept, before cert-manager orders them anew
            *install_crds.steps(house),            # what the settings name and the CRD helmfile brings
            *declare_held.steps((*house.claims, *house.held_kopia)),  # claims without a volume are held, lost ones anew ...
            *install_hold.steps(house, bootstraps=True),  # ... and the API servers refuse to fill or back them up
            *sync_release.steps(house),            # helmfile, release by release
            *reconcile_flux.steps(house),          # to the commit that was checked
        ),
        guards={"talos": checks.etcd_healthy.EtcdHealthy(house)},
    )  # fmt: skip
