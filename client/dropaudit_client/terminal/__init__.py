"""What a terminal shows beside the report: intervals as sparklines, and an audit while it runs."""
