"""External data: tensors whose values lie in other files than the graph."""
