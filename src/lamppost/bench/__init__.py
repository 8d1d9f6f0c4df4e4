"""Measures Lamppost against the truth, and beside its peers: `lamppost bench`."""
