"""A first blackstart.yaml: what `config.init` writes out of the repository, a Proxmox that was asked, an inventory."""
