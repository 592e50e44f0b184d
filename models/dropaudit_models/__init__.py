"""LSTM models with and without dropout, exported to ONNX, and the seed case."""

from dropaudit_models.catalogue import ReferenceModel, export, reference_models

__all__ = ["ReferenceModel", "export", "reference_models"]
