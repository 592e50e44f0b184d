"""Sites found and compared by running parts of a graph."""
