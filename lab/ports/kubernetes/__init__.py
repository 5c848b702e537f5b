"""In-process doors to the cluster: its objects, what is released into it, and what Flux makes of Git."""
