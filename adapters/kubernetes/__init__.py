"""The Kubernetes API: result types, one client, and the adapter for nodes, namespaces, secrets and the Lease."""
