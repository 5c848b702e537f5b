"""Volumes that outlived their claim: kept, brought back, let go; and what a storage class makes of fresh ones."""
