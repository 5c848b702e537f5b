"""csi-driver-nfs: folders of one export of a server, made by its driver."""
