"""Small networks of well-known architectures, exported as people export them, with declared verdicts."""
