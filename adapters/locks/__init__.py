"""Lock files of backup repositories: looked at, and taken away one by one."""
