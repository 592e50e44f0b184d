"""The running server: where it listens, its health, its metrics, and how it stops."""
