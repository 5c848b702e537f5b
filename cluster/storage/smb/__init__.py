"""csi-driver-smb: folders of one share of a server, made by its driver."""
