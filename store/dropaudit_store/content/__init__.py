"""Content under its digest: models and tensors, uploaded or referenced."""
