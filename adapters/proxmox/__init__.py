"""The Proxmox VE API: result types and the adapter on proxmoxer."""
