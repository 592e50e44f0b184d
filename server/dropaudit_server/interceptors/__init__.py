"""Access, limits, logs and errors, around every call."""
