"""The report of many audits: a suite's run, or several files of one call."""
