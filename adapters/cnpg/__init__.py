"""CloudNativePG: its Cluster objects, the recovery manifest that is written for review, and what a database says of itself."""
