"""What the members of a suite stand for when a run begins."""
