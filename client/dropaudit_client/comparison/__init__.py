"""What changed from one run to another, for people."""
