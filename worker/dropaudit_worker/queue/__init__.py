"""Messages, schedules, and the reconciler that finds what got lost."""
