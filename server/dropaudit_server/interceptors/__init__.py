"""What happens around calls."""
