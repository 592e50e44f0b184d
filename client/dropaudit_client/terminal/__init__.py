"""For people on a terminal: reports, progress, and the exit status."""
