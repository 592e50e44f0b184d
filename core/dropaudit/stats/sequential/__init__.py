"""When a sequential test has decided, and how much more of a sample it would take."""
