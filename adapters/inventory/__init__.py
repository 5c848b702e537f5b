"""What a cluster keeps and where: volumes with their handles, monitors, replicas, for the inventory of the house."""
