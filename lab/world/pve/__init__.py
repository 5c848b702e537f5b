"""The simulated Proxmox cluster: hosts, VMs, storages, tasks, rights. Knows no protocol."""
