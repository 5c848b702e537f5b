"""What is kept beside the settings: the lock file and the inventory. Holds no secret."""
