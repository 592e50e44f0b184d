"""The store that server and worker share: records in Redis, the state machine, leases, events, and blobs."""
