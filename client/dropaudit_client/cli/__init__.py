"""The `dropaudit` command, one module for each family of subcommands."""
