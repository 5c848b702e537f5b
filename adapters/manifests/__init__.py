"""Manifests that the settings name: files, kustomize folders, and what lies behind a URL."""
