"""A database of the lab for real: PostgreSQL, barman-cloud, and what stands for the operator of CloudNativePG."""
