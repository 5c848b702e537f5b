"""The resource types of Talos, and the words each is asked by. Knows no machine and no call.

Types, namespaces and words are those that Talos 1.13 registers (published: pkg/machinery/resources); what a client makes of a
word is decided by all of them together: `ms` is four types, so that Talos calls it ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A resource type: full name, what it shows as, namespace, words that it is shown with and those that it is known by,
    columns as (title, path). What is not `simulated` Talos shows, and the lab has nothing to show."""

    type: str
    display: str
    namespace: str
    aliases: tuple[str, ...]
    all_aliases: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()
    sensitive: bool = False
    simulated: bool = True


# Names by what follows them and their namespace.
_TALOS = {
    ("block.talos.dev", "runtime"): """BlockDevices BlockSymlinks DiscoveredVolumes DiscoveryRefreshRequests
        DiscoveryRefreshStatuses Disks MountRequests MountStatuses SwapStatuses SystemDisks UserDiskConfigStatuses VolumeConfigs
        VolumeLifecycles VolumeMountRequests VolumeMountStatuses VolumeStatuses ZswapStatuses""",
    ("cluster.talos.dev", "cluster"): "Affiliates Identities Infos Members",
    ("cluster.talos.dev", "config"): "DiscoveryConfigs KubernetesAccessConfigs",
    ("config.talos.dev", "config"): "MachineConfigs MachineTypes",
    ("cri.talos.dev", "cri"): "ImageCacheConfigs RegistryConfigs SeccompProfiles",
    ("etcd.talos.dev", "etcd"): "EtcdConfigs EtcdMembers EtcdSpecs PKIStatuses",
    ("files.talos.dev", "files"): "EtcFileSpecs EtcFileStatuses",
    ("hardware.talos.dev", "hardware"): "MemoryModules PCIDevices PCRStatuses Processors SystemInformations",
    ("k8s.talos.dev", "k8s"): "NodeAnnotationSpecs NodeCordonedSpecs NodeLabelSpecs NodeTaintSpecs",
    ("kubernetes.talos.dev", "controlplane"): """APIServerConfigs AdmissionControlConfigs AuditPolicyConfigs AuthorizationConfigs
        BootstrapManifestsConfigs ConfigStatuses ControllerManagerConfigs Endpoints ExtraManifestsConfigs ManifestStatuses Manifests
        SchedulerConfigs SecretStatuses""",
    ("kubernetes.talos.dev", "k8s"): """KubePrismConfigs KubePrismEndpoints KubePrismStatuses KubeletConfigs KubeletKubeconfigs
        KubeletLifecycles KubeletSpecs NodeIPConfigs NodeIPs NodeStatuses Nodenames StaticPodServerStatuses StaticPodStatuses
        StaticPods""",
    ("kubespan.talos.dev", "config"): "KubeSpanConfigs",
    ("kubespan.talos.dev", "kubespan"): "KubeSpanEndpoints KubeSpanIdentities KubeSpanPeerSpecs KubeSpanPeerStatuses",
    ("meta.cosi.dev", "meta"): "Namespaces ResourceDefinitions",
    ("net.talos.dev", "network"): """AddressSpecs AddressStatuses DNSResolveCaches DNSUpstreams DeviceConfigSpecs EthernetSpecs
        EthernetStatuses HardwareAddresses HostDNSConfigs HostnameSpecs HostnameStatuses LinkAliasSpecs LinkRefreshes LinkSpecs
        LinkStatuses NetworkStatuses NfTablesChains NodeAddressFilters NodeAddressSortAlgorithms NodeAddresses OperatorSpecs
        PlatformConfigs ProbeSpecs ProbeStatuses ResolverSpecs ResolverStatuses RouteSpecs RouteStatuses RoutingRuleSpecs
        RoutingRuleStatuses TimeServerSpecs TimeServerStatuses""",
    ("perf.talos.dev", "perf"): "CPUStats MemoryStats",
    ("runtime.talos.dev", "hardware"): "PCIDriverRebindConfigs PCIDriverRebindStatuses",
    ("runtime.talos.dev", "runtime"): """APIServiceConfigs DevicesStatuses Diagnostics Environments EventSinkConfigs
        ExtensionServiceConfigStatuses ExtensionServiceConfigs ExtensionStatuses KernelCmdlines KernelModuleSpecs
        KernelParamDefaultSpecs KernelParamSpecs KernelParamStatuses KmsgLogConfigs LoadedKernelModules MachineResetSignals
        MachineStatuses MaintenanceServiceConfigs MaintenanceServiceRequests MetaKeys MetaLoads MountStatuses ServicePIDs
        UniqueMachineTokens Versions WatchdogTimerConfigs WatchdogTimerStatuses""",
    ("secrets.talos.dev", "secrets"): """ApiCertificates CertSANs EncryptionSalts EtcdRootSecrets EtcdSecrets KubeletSecrets
        KubernetesDynamicCerts KubernetesRootSecrets KubernetesSecrets MaintenanceRootSecrets OSRootSecrets TrustdCertificates""",
    ("security.talos.dev", "security"): "ImageVerificationRules TUFTrustedRoots",
    ("siderolink.talos.dev", "config"): "SiderolinkConfigs SiderolinkStatuses SiderolinkTunnels",
    ("talos.dev", "runtime"): "BootedEntries OOMActions PlatformMetadatas SBOMItems SecurityStates",
    ("v1alpha1.talos.dev", "runtime"): "AcquireConfigSpecs AcquireConfigStatuses AdjtimeStatuses Services TimeStatuses",
}  # fmt: skip
# What a type is called besides.
_CALLED = {
    "AddressStatuses.net.talos.dev": ("address", "addresses"),
    "Environments.runtime.talos.dev": ("env",),
    "EthernetStatuses.net.talos.dev": ("ethtool",),
    "ExtensionStatuses.runtime.talos.dev": ("extensions",),
    "HostnameStatuses.net.talos.dev": ("hostname",),
    "KernelCmdlines.runtime.talos.dev": ("cmdline",),
    "KernelParamStatuses.runtime.talos.dev": ("sysctls", "kernelparameters", "kernelparams"),
    "LinkStatuses.net.talos.dev": ("link", "links"),
    "LoadedKernelModules.runtime.talos.dev": ("module", "modules"),
    "MemoryModules.hardware.talos.dev": ("memorymodules", "ram"),
    "MetaKeys.runtime.talos.dev": ("meta",),
    "MountStatuses.runtime.talos.dev": ("mounts",),
    "Namespaces.meta.cosi.dev": ("ns",),
    "NetworkStatuses.net.talos.dev": ("netstatus", "netstatuses"),
    "NfTablesChains.net.talos.dev": ("chain", "chains"),
    "PCIDevices.hardware.talos.dev": ("devices", "device"),
    "PCIDriverRebindStatuses.runtime.talos.dev": ("pcidriverrebinds",),
    "ProbeStatuses.net.talos.dev": ("probe", "probes"),
    "Processors.hardware.talos.dev": ("cpus", "cpu"),
    "ResolverStatuses.net.talos.dev": ("resolvers",),
    "ResourceDefinitions.meta.cosi.dev": ("api-resources",),
    "RouteStatuses.net.talos.dev": ("route", "routes"),
    "RoutingRuleStatuses.net.talos.dev": ("routingrule", "routingrules"),
    "Services.v1alpha1.talos.dev": ("svc",),
    "StaticPodStatuses.kubernetes.talos.dev": ("podstatus",),
    "SwapStatuses.block.talos.dev": ("swap", "swaps"),
    "SystemInformations.hardware.talos.dev": ("systeminformation",),
    "TimeServerStatuses.net.talos.dev": ("timeserver", "timeservers"),
}
# The older kind of mounts is known by no word but its own.
_BY_ITS_OWN_WORDS = {"MountStatuses.runtime.talos.dev"}
# Of those that the lab shows: for who may do everything alone.
_SENSITIVE = {"APIServerConfigs.kubernetes.talos.dev", "KubeletConfigs.kubernetes.talos.dev", "MachineConfigs.config.talos.dev"}
# What the lab has to show, with the columns that are printed.
_SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "APIServerConfigs.kubernetes.talos.dev": (),
    "AddressStatuses.net.talos.dev": (("Address", "{.address}"), ("Link", "{.linkName}")),
    "BootstrapManifestsConfigs.kubernetes.talos.dev": (),
    "ControllerManagerConfigs.kubernetes.talos.dev": (),
    "Diagnostics.runtime.talos.dev": (),
    "Disks.block.talos.dev": (("Size", "{.pretty_size}"), ("Read Only", "{.readonly}"), ("Model", "{.model}")),
    "EtcdMembers.etcd.talos.dev": (("Member ID", "{.memberID}"),),
    "HostnameStatuses.net.talos.dev": (("Hostname", "{.hostname}"),),
    "KubeletConfigs.kubernetes.talos.dev": (),
    "MachineConfigs.config.talos.dev": (),
    "MachineStatuses.runtime.talos.dev": (("Stage", "{.stage}"), ("Ready", "{.status.ready}")),
    "Members.cluster.talos.dev": (("Hostname", "{.hostname}"),),
    "Nodenames.kubernetes.talos.dev": (),
    "ResourceDefinitions.meta.cosi.dev": (),
    "SchedulerConfigs.kubernetes.talos.dev": (),
    "Services.v1alpha1.talos.dev": (("Running", "{.running}"), ("Healthy", "{.healthy}")),
    "StaticPodStatuses.kubernetes.talos.dev": (),
    "SystemDisks.block.talos.dev": (("Disk", "{.diskID}"),),
    "Versions.runtime.talos.dev": (("Version", "{.version}"),),
    "VolumeStatuses.block.talos.dev": (("Phase", "{.phase}"),),
}


def _display(plural: str) -> str:
    if plural.endswith("ies"):
        return plural.removesuffix("ies") + "y"
    return plural.removesuffix("es" if plural.endswith(("ses", "shes")) else "s")


def _kind(name: str, suffix: str, namespace: str) -> Kind:
    """With the words that Talos makes of a name: in the singular, in the plural, with the begin of what follows, its capitals."""
    full, display, aliases, known = f"{name}.{suffix}", _display(name), list(_CALLED.get(f"{name}.{suffix}", ())), []
    if full not in _BY_ITS_OWN_WORDS:
        aliases.append(display.lower())
        parts = suffix.split(".")
        known = [name.lower(), *(".".join((name.lower(), *parts[:count])) for count in range(1, len(parts)))]
        capitals = "".join(letter for letter in name if letter.isupper())
        if len(capitals) > 1:
            aliases += [capitals.lower()] if capitals.endswith("S") else [capitals.lower(), f"{capitals.lower()}s"]
    return Kind(
        full, display, namespace, tuple(aliases), (*known, *aliases), _SHOWN.get(full, ()), full in _SENSITIVE, full in _SHOWN
    )  # fmt: skip


KINDS = tuple(
    _kind(name, suffix, namespace) for (suffix, namespace), names in _TALOS.items() for name in names.split()
)
BY_TYPE = {kind.type: kind for kind in KINDS}
