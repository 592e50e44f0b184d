"""Looks for models outside the store: in folders, in buckets, in registries."""
