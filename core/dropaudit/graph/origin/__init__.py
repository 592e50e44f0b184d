"""Where in the user's own code a node of a graph comes from."""
