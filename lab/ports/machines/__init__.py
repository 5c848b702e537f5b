"""In-process doors to hosts and machines: Proxmox, a NAS, Talos and its etcd."""
