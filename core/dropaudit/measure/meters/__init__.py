"""Running measurements, fed chunk by chunk."""
