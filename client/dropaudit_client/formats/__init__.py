"""Reports as documents: each module is a pure function from a report to text."""
