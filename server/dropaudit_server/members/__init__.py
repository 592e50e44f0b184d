"""Members of suites in calls: from messages to records and back."""
