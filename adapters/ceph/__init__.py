"""Ceph, as it tells of itself: through Proxmox's API, or in what Rook's operator writes down of it."""
