"""The version of the package: reports name it, and reading it from the metadata takes longer than a small audit."""

__version__ = "0.1.0"
