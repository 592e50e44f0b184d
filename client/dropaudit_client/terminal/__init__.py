"""The report in a terminal, intervals as sparklines, and an audit while it runs."""
