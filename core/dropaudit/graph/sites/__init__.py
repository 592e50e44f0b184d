"""Dropout sites: where they are, what they declare, and which law they follow."""
