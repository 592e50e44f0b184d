"""Redis: connections, scripts, durability, and room on its disk."""
