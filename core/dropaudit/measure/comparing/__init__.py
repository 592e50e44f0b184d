"""What replicates and references must share to be compared."""
