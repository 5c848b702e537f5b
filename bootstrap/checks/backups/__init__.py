"""Whether what is declared can be held and restored, and whether backups are written."""
