"""What holds data in the house, whether it is backed up or not: claims, databases, and mounts of other machines' files."""
