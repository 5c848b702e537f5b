"""config.doctor's parts: what works for a house today, by what was looked at and nothing else."""
