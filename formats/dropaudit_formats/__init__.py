"""Reports in each format, of one audit and of many: pure functions of the core's types, for command and server."""
