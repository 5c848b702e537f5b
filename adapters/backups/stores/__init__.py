"""Where a repository lies: a bucket, an SFTP server, a folder or a share. Knows no restic."""
