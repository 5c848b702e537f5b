"""Backup repositories: result types and the adapters on restic and S3."""
