"""What is known about Talos and its nodes as a whole: whether there is an etcd, and which versions go together."""
