"""VMs, images and nodes as they are, held against what the settings say."""
