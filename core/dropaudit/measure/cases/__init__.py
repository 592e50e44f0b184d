"""Cases: models in their modes, feeds, references, and where they run."""
