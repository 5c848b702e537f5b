"""What a rehearsal makes in the cluster: a fenced scratch namespace, restores into it, and nothing else."""
