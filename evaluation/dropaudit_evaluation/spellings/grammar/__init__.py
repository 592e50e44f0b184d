"""The grammar: how draws, thresholds, masks, scales and their places are spelled."""
