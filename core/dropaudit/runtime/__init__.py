"""ONNX Runtime: providers, sessions and replicates. The only place that imports onnxruntime."""
