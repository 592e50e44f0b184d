"""The parts of the HTML page: its drawings, its words, and its template."""
