"""Small networks around the sites: trunks, recurrences, weights, embeddings, bodies and functions."""
