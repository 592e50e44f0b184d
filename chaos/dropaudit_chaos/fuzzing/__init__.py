"""Grammars, mutations, and the programs that feed them."""
