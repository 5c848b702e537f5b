"""What runs in the cluster and what its operators say of it: workloads, objects of their kinds, what Flux applied."""
