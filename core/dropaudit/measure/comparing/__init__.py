"""Comparable shapes: replicates and references must share them, and what does not is left out."""
