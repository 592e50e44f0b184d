"""The worker's processes: children, their leases, their share of the machine, and their ends."""
