"""What measured numbers and structure mean: from evidence to findings and the summary."""
