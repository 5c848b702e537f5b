"""SFTP in the lab: the real sshd where this machine has one, else a stand-in on paramiko."""
