"""In-process doors to stores of backups: repositories, their files and locks, archives of databases."""
