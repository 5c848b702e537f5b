"""In-process doors to data in the cluster: claims, databases, what is held or kept of them, and what carries them."""
