"""Making one audit: claim it, feed a sandbox, write its end."""
