"""What we know about Talos: machineconfig, image, secrets bundle, health."""
