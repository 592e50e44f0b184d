"""Reports as documents, of one audit and of a run."""
