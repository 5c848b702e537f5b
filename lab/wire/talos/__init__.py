"""The Talos API on the wire: gRPC with mutual TLS on every node's own address, port 50000, for unmodified talosctl."""
