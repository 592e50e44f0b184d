"""The methods of both clients, by what they are about."""
