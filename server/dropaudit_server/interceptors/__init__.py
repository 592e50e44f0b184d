"""Around every call: identity, limits, logs, spans, and errors as status codes."""
