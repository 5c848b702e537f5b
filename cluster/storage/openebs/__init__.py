"""OpenEBS: local volumes on ZFS, LVM or a folder, and Mayastor's pools."""
