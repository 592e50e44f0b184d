"""Masks spelled by a grammar over ONNX's operators, with verdicts that an independent Monte Carlo stands behind."""
