"""dr.*: backups looked at, data restored and proven, drills, and the evidence of it."""
