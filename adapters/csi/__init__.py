"""Drivers that make volumes, as the cluster's own objects tell of them, and the pools of OpenEBS."""
