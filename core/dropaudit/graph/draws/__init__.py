"""Random operators, and what becomes of their draws element by element."""
