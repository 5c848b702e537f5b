"""democratic-csi: datasets of a NAS that its driver is told of in a Secret of its own."""
