"""Which backups a repository declares, by whatever engine, and which of them nobody can follow."""
