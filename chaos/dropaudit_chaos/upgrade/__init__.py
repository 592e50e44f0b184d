"""Servers and workers are replaced one by one by another version of the code, while clients call."""
