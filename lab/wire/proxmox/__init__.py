"""The Proxmox door on the wire: HTTPS as PVE speaks it, over the simulated cluster."""
