"""Names of stored models, their versions and aliases."""
