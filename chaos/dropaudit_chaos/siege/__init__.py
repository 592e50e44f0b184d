"""Hostile models, and a service that has to survive them."""
