"""Builds docker-compose.yml and uses it with a real engine, from outside its containers."""
