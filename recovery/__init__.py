"""From backups to applications with their data: course.py holds the order."""
