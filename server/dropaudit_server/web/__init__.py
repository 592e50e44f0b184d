"""The dashboard: pages that only read, for browsers, beside the gRPC service and behind the same tokens."""
