"""Epoch keys, shares, custodians and opening."""
