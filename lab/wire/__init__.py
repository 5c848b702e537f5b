"""Servers that open the World to real clients: Proxmox HTTPS, Talos gRPC, S3, Git, charts."""
