"""The image factory: where the Talos disk image and its checksum come from."""
