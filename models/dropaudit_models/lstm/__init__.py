"""Reference LSTMs: their layers, sites, weights, and twins."""
