"""ONNX graphs: load untrusted files, find dropout sites, derive the other mode, expose what is measured."""
