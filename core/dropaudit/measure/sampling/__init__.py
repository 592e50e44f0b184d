"""Drawing replicates, and deciding when to stop."""
