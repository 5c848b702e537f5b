"""etcd's own files: snapshots and copies of its database, read as they lie on the disk. Runs no etcd."""
