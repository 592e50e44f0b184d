"""Kills, floods and feeds the service: chaos, hostile models, fuzz and endurance. Nothing of the service needs it."""
