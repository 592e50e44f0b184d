"""Branches that the data decides: taken where made-up inputs can do that, else named."""
