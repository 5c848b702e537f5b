"""What bootstrap and recovery both need: VMs, audit of backups, the hold, root cause of a stuck Flux graph."""
