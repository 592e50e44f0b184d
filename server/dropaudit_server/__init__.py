"""The gRPC front: accepts models and audits, answers from the store, runs no model."""
