"""Quantization methods as pure functions on arrays, one per file; docs/quantization-methods.md lists them."""
