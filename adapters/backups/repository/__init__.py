"""What restic keeps in a repository, read by ourselves: keys, config, locks, indexes, trees, packs. Starts no program."""
