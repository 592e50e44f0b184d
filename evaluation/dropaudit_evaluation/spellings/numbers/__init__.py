"""The truth of a graph: ONNX's own definitions in numpy, over many replicates at once."""
