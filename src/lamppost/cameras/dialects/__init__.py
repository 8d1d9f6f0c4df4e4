"""Dialects: the questions that a maker's devices answer, and what their answers say of faces."""
