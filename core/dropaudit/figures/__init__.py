"""What the figures of a report are drawn from: small summaries that are kept beside its numbers."""
